"""The demo: the whole main job in the simulated world, played by real photographs. A second composition root."""
