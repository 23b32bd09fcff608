"""The Rekognition server's collections, users, faces, liveness sessions and access keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk.records.halves import HalfRow, growing, same_order

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Make the five tables, empty."""
    op.create_table(
        "face_collections",
        sa.Column("name", same_order(255), nullable=False),
        sa.Column("model_version", sa.String(128), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_face_collections"),
    )
    op.create_table(
        "collection_users",
        sa.Column("collection", same_order(255), nullable=False),
        sa.Column("user_id", same_order(128), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("collection", "user_id", name="pk_collection_users"),
        _of_collection("collection_users"),
    )
    op.create_table(
        "collection_faces",
        sa.Column("number", growing(), nullable=False),
        sa.Column("face_id", sa.String(36), nullable=False),
        sa.Column("collection", same_order(255), nullable=False),
        sa.Column("user_id", same_order(128), nullable=True),
        sa.Column("image_id", sa.String(36), nullable=False),
        sa.Column("external_image_id", sa.String(255), nullable=True),
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("vector", HalfRow(), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_collection_faces"),
        sa.UniqueConstraint("face_id", name="uq_collection_faces_face_id"),
        _of_collection("collection_faces"),
    )
    op.create_index("ix_collection_faces_owner", "collection_faces", ["collection", "user_id"])
    op.create_table(
        "liveness_sessions",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("access_key_id", sa.String(128), nullable=False),
        sa.Column("token", sa.String(64), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("challenges", sa.Text(), nullable=False),
        sa.Column("audit_limit", sa.Integer(), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("session_id", name="pk_liveness_sessions"),
    )
    op.create_index("ix_liveness_sessions_created", "liveness_sessions", ["created"])
    op.create_table(
        "access_keys",
        sa.Column("access_key_id", sa.String(128), nullable=False),
        sa.Column("secret", sa.String(128), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("collections", sa.Text(), nullable=True),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("revoked", sa.String(27), nullable=True),
        sa.PrimaryKeyConstraint("access_key_id", name="pk_access_keys"),
    )


def _of_collection(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_collection"
    return sa.ForeignKeyConstraint(["collection"], ["face_collections.name"], name=name, ondelete="CASCADE")
