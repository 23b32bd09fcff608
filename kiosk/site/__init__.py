"""What an installation measures of itself: calibration, recordings of attempts, the spoof drill."""
