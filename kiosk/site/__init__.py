"""What staff do with a kiosk at its own place: calibrate it, record visits, try other thresholds, drill attacks."""
