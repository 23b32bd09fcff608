"""Alembic's script directory; ``kiosk.records.migrate`` runs it."""
