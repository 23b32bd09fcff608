"""Who is it: local gallery search, the similarity scale and thresholds per face-model version."""
