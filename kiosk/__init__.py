"""The door kiosk: a person walks up, is guided, proven live, matched, and the door answers."""

__version__ = "0.1.0"
