"""Figures of what the kiosk does: a closed table of metrics, and the places where they are published.

Nothing that names a person can get into them: names, labels and values of labels come from the table and nowhere else.
"""
