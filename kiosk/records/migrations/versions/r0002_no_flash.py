"""Who must not see a flashing screen is checked by head movements: a mark on the person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Everybody who is enrolled may see flashes, as before."""
    op.add_column("people", sa.Column("no_flash", sa.Boolean(), nullable=False, server_default=sa.false()))
