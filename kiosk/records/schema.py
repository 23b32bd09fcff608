"""The tables, as SQLAlchemy classes. A test proves that the migrations build exactly these.

Rules: vectors are little-endian float32 blobs (the Rekognition server's: ``halves.HalfRow``); times are UTC text
(``texts.utc_text``); an event names a person by id only and has no foreign key, because it outlives the person. No
column holds pictures, but for ``pictures``, which a site must ask for, and for the outcome of a liveness session, which
is removed after three minutes.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kiosk.records.halves import HalfRow, growing, same_order

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraint names, so that later migrations can refer to them (SQLite cannot drop what has no name)."""


class Base(DeclarativeBase):
    """Carries the metadata."""

    metadata = MetaData(naming_convention=NAMING)


class PersonRow(Base):
    """A data subject. Removing one deletes the row with its badges and templates."""

    __tablename__ = "people"

    person_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(String(960), unique=True)
    """``texts.name_key``: two people cannot share a name that the staff could not tell apart."""
    active: Mapped[bool]
    no_flash: Mapped[bool] = mapped_column(server_default=false())
    """The screen must not flash at this person."""
    shelf_pictures: Mapped[str | None] = mapped_column(Text)
    """JSON list: SHA-256 of pictures that are to lie outside of this database; null: not known, as of before 0005."""
    created: Mapped[str] = mapped_column(String(27))
    updated: Mapped[str] = mapped_column(String(27))


class BadgeRow(Base):
    """A badge number and its holder."""

    __tablename__ = "badges"

    number_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Lower case: readers and printed cards disagree about the case of hex digits."""
    number: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.person_id", ondelete="CASCADE"), index=True)
    active: Mapped[bool]


class TemplateRow(Base):
    """One face template of one model version."""

    __tablename__ = "templates"
    # The hash comes first on purpose: an index that began with model_version would lure SQLite into reading the
    # vectors in hash order, which decrypts every page many times over.
    __table_args__ = (UniqueConstraint("source_sha256", "model_version"),)

    template_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.person_id", ondelete="CASCADE"), index=True)
    model_version: Mapped[str] = mapped_column(String(128))
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    source_sha256: Mapped[str] = mapped_column(String(64))
    quality: Mapped[str] = mapped_column(Text)
    """JSON object of measured figures."""
    created: Mapped[str] = mapped_column(String(27))


class EventRow(Base):
    """One link of the audit chain: ``kiosk.records.chain`` says what ``hash`` covers."""

    __tablename__ = "events"

    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    utc: Mapped[str] = mapped_column(String(27), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(32))
    person_id: Mapped[str | None] = mapped_column(String(36))
    details: Mapped[str] = mapped_column(Text)
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class MetaRow(Base):
    """Facts about the database itself: the ends of the chain, a wipe that is still owed."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class EngineFaceRow(Base):
    """A face of a person in another engine's collection, by the engine's own id."""

    __tablename__ = "engine_faces"

    engine: Mapped[str] = mapped_column(String(16), primary_key=True)
    collection: Mapped[str] = mapped_column(String(255), primary_key=True)
    face_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(String(255))
    """Of the engine, as it was then: another server may bear the name later."""
    person_id: Mapped[str] = mapped_column(ForeignKey("people.person_id", ondelete="CASCADE"), index=True)
    model_version: Mapped[str] = mapped_column(String(128))
    created: Mapped[str] = mapped_column(String(27))


class EngineTaskRow(Base):
    """What is still to be done in an engine for a person, who may be gone: ``kiosk.records.tasks``."""

    __tablename__ = "engine_tasks"

    task_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[str] = mapped_column(String(36), index=True)
    engine: Mapped[str] = mapped_column(String(16))
    collection: Mapped[str] = mapped_column(String(255))
    face_id: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(255))
    owner: Mapped[str] = mapped_column(String(36))
    """Of the process that is at it; empty: nobody is."""
    created: Mapped[str] = mapped_column(String(27))


class PictureRow(Base):
    """A picture that somebody was enrolled by, only where the site keeps pictures."""

    __tablename__ = "pictures"

    person_id: Mapped[str] = mapped_column(ForeignKey("people.person_id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created: Mapped[str] = mapped_column(String(27))


class CollectionRow(Base):
    """A collection of the Rekognition server: faces of one model version."""

    __tablename__ = "face_collections"

    name: Mapped[str] = mapped_column(same_order(255), primary_key=True)
    model_version: Mapped[str] = mapped_column(String(128))
    revision: Mapped[int] = mapped_column(BigInteger)
    """Raised by every change of its faces or users. Begins at a random number: a collection that was deleted and made
    anew is not mistaken for the old one."""
    created: Mapped[str] = mapped_column(String(27))


class CollectionUserRow(Base):
    """Somebody with several faces in a collection."""

    __tablename__ = "collection_users"

    collection: Mapped[str] = mapped_column(
        same_order(255), ForeignKey("face_collections.name", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(same_order(128), primary_key=True)
    created: Mapped[str] = mapped_column(String(27))


class CollectionFaceRow(Base):
    """One face of a collection; the picture it comes from is not kept."""

    __tablename__ = "collection_faces"
    __table_args__ = (Index("ix_collection_faces_owner", "collection", "user_id"),)

    number: Mapped[int] = mapped_column(growing(), primary_key=True)
    face_id: Mapped[str] = mapped_column(String(36), unique=True)
    collection: Mapped[str] = mapped_column(same_order(255), ForeignKey("face_collections.name", ondelete="CASCADE"))
    user_id: Mapped[str | None] = mapped_column(same_order(128))
    """Of ``collection_users``, in the same collection."""
    image_id: Mapped[str] = mapped_column(String(36))
    external_image_id: Mapped[str | None] = mapped_column(String(255))
    box: Mapped[str] = mapped_column(Text)
    """JSON: left, top, width, height in shares of the picture."""
    confidence: Mapped[float] = mapped_column(Double)
    vector: Mapped[bytes] = mapped_column(HalfRow)
    """Little-endian float16."""
    created: Mapped[str] = mapped_column(String(27))


class LivenessSessionRow(Base):
    """A liveness session of the Rekognition server; what came of it is removed after three minutes."""

    __tablename__ = "liveness_sessions"

    session_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    access_key_id: Mapped[str] = mapped_column(String(128))
    token: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    challenges: Mapped[str] = mapped_column(Text)
    """JSON list."""
    audit_limit: Mapped[int]
    created: Mapped[str] = mapped_column(String(27), index=True)
    outcome: Mapped[str | None] = mapped_column(Text)
    """JSON with pictures in base64: the only ones in this database, for three minutes."""


class AccessKeyRow(Base):
    """A key of the Rekognition server. Signatures are checked with the secret itself, so it lies here, encrypted: with
    the whole file, or sealed by itself where the database is PostgreSQL."""

    __tablename__ = "access_keys"

    access_key_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    secret: Mapped[str] = mapped_column(String(128))
    scope: Mapped[str] = mapped_column(String(16))
    collections: Mapped[str | None] = mapped_column(Text)
    """JSON list of the only collections; null: all."""
    created: Mapped[str] = mapped_column(String(27))
    revoked: Mapped[str | None] = mapped_column(String(27))
