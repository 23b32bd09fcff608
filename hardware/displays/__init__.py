"""Displays: pygame full screen, memory; one renderer serves all."""
