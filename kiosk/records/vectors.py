"""Templates inside a caller's transaction: vectors of people, each of one face-model version."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, select

from kiosk.errors import RecordsConflict, RecordsError
from kiosk.records import events, texts
from kiosk.records.schema import PersonRow, TemplateRow
from kiosk.values import Floats, NewTemplate

DIMENSIONS = range(16, 4097)
VECTOR_TYPE = np.dtype("<f4")


def matrix(
    connection: Connection, model_version: str, *, without: str | None = None, everybody: bool = False
) -> tuple[list[str], Floats]:
    """(person ids, ``(N, D) float32``) of every active template of one version, in order of enrollment.

    ``without``: but of nobody who has a template of that version.
    """
    idle = set() if everybody else set(connection.scalars(select(PersonRow.person_id).where(~PersonRow.active)))
    if without is not None:
        moved = select(TemplateRow.person_id).where(TemplateRow.model_version == without).distinct()
        idle |= set(connection.scalars(moved))
    query = (
        select(TemplateRow.person_id, TemplateRow.vector)
        .where(TemplateRow.model_version == model_version)
        .order_by(TemplateRow.template_id)
    )
    ids: list[str] = []
    content = bytearray()
    size = 0
    # Plain driver rows in portions: at 10 000 people the vectors are held once, not three times.
    with connection.execution_options(yield_per=1000).execute(query) as rows:
        for person_id, vector in rows:
            if person_id in idle:
                continue
            size = size or len(vector)
            if len(vector) != size or size % VECTOR_TYPE.itemsize:
                raise RecordsError("templates of one model version differ in length", mend="restore a backup")
            ids.append(person_id)
            content += vector
    flat = np.frombuffer(content, dtype=VECTOR_TYPE).astype(np.float32, copy=False)
    return ids, flat.reshape(len(ids), size // VECTOR_TYPE.itemsize)


def beside(connection: Connection, model_versions: frozenset[str]) -> int:
    """How many people have templates, but none of these versions."""
    known = select(TemplateRow.person_id).where(TemplateRow.model_version.in_(sorted(model_versions)))
    others = select(func.count(TemplateRow.person_id.distinct())).where(TemplateRow.person_id.not_in(known))
    return connection.scalar(others) or 0


def insert_all(connection: Connection, person_id: str, templates: Sequence[NewTemplate], now: str) -> None:
    """Give a person these templates. Raises RecordsConflict: a picture is one already; RecordsError: no unit vector."""
    for template in templates:
        digest = texts.tidy_sha256(template.source_sha256)
        version = texts.tidy_model_version(template.embedding.model_version)
        taken = select(TemplateRow.person_id).where(
            TemplateRow.source_sha256 == digest, TemplateRow.model_version == version
        )
        if connection.scalar(taken) is not None:
            raise RecordsConflict(
                "this picture is already a template",
                where=digest[:12],
                mend="use another picture",
                reason="PICTURE_TAKEN",
            )
        values = {"person_id": person_id, "model_version": version, "source_sha256": digest, "created": now}
        vector = _checked_vector(template.embedding.vector).tobytes()
        quality = events.details_text(template.quality)
        connection.execute(insert(TemplateRow), {**values, "vector": vector, "quality": quality})


def _checked_vector(vector: Floats) -> NDArray[np.float32]:
    if vector.ndim != 1 or len(vector) not in DIMENSIONS:
        raise RecordsError(f"a template of shape {vector.shape} cannot be kept", mend="give one vector")
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not abs(length - 1.0) < 1e-3:  # NaN fails too
        raise RecordsError("a template is not of unit length", mend="normalise the embedding")
    return vector.astype(VECTOR_TYPE)
