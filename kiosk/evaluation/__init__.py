"""Measuring: recordings, verification metrics, benchmarks."""
