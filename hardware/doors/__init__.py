"""Doors: gpiozero, gpiod, memory."""
