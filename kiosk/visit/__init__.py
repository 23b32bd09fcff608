"""The pure core: one person's visit. No clock, no I/O, no threads; time and randomness come in a ``Moment``."""
