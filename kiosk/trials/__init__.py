"""Simulated attempts by the thousand: live people and attacks in drawn worlds, judged by the real gates."""
