"""``kiosk bench``: how fast the parts and the whole are on this machine. Figures, never pass or fail."""
