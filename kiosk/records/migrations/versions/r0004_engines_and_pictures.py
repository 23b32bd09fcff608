"""Faces in other engines, what is still to be done there, and pictures where a site keeps them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Make the three tables, empty."""
    op.create_table(
        "engine_faces",
        sa.Column("engine", sa.String(16), nullable=False),
        sa.Column("collection", sa.String(255), nullable=False),
        sa.Column("face_id", sa.String(64), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("model_version", sa.String(128), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("engine", "collection", "face_id", name="pk_engine_faces"),
        _of_person("engine_faces"),
    )
    op.create_index("ix_engine_faces_person_id", "engine_faces", ["person_id"])
    op.create_table(
        "engine_tasks",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("engine", sa.String(16), nullable=False),
        sa.Column("collection", sa.String(255), nullable=False),
        sa.Column("face_id", sa.String(64), nullable=True),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(36), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("task_id", name="pk_engine_tasks"),
    )
    op.create_index("ix_engine_tasks_person_id", "engine_tasks", ["person_id"])
    op.create_table(
        "pictures",
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "sha256", name="pk_pictures"),
        _of_person("pictures"),
    )


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"], ["people.person_id"], name=f"fk_{table}_person_id", ondelete="CASCADE"
    )
