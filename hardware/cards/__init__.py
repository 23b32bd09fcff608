"""Cards in a picture: barcodes and machine-readable zones, and what they say."""
