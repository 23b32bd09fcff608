"""Identity cards and badges: what their machine-readable zones and barcodes say, as proposals for staff to confirm."""
