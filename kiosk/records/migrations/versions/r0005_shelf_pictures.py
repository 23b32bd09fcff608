"""Which pictures are to lie outside of the database: whatever else lies there of a person is to go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Of whoever is enrolled already it is not known, until their pictures change."""
    op.add_column("people", sa.Column("shelf_pictures", sa.Text(), nullable=True))
