"""The column of half-precision vectors: a blob in the embedded database, pgvector's HALFVEC in PostgreSQL.

Rules: on this side of both it is the bytes of a little-endian float16 row, so statements and results are the same;
pgvector is imported only where PostgreSQL is spoken to. Numbers grow with every row: a rowid there, a sequence here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Dialect, Integer, LargeBinary, String, func
from sqlalchemy.types import TypeDecorator, TypeEngine

VECTOR_TYPE = np.dtype("<f2")
POSTGRESQL = "postgresql"
_WIRE_TYPE = np.dtype(">f2")
_WIRE_HEAD = 4
"""Bytes before the first number in pgvector's binary form: dimensions and two zero bytes (pgvector, halfvec.c)."""


class HalfRow(TypeDecorator[bytes]):
    """One vector. Biometric data: never logged."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """HALFVEC without a length where PostgreSQL is spoken to: collections differ in their face models."""
        if dialect.name != POSTGRESQL:
            return dialect.type_descriptor(LargeBinary())
        from pgvector.sqlalchemy import HALFVEC

        return dialect.type_descriptor(HALFVEC())

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> Any:
        """What the driver takes."""
        if value is None or dialect.name != POSTGRESQL:
            return value
        return np.frombuffer(value, VECTOR_TYPE)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """From pgvector's binary form where PostgreSQL sent it; a blob is what it is."""
        if dialect.name != POSTGRESQL:
            return super().result_processor(dialect, coltype)

        def read(value: bytes | None) -> bytes | None:
            if value is None:
                return None
            return np.frombuffer(value, _WIRE_TYPE, offset=_WIRE_HEAD).astype(VECTOR_TYPE).tobytes()

        return read

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any] | None:
        """Asked for in binary: numbers written out as text are four times as long and slow to read."""
        return column if isinstance(self.impl_instance, LargeBinary) else func.halfvec_send(column, type_=self)


def same_order(length: int) -> String:
    """Text whose order is that of its code points, in PostgreSQL as in SQLite and in Python: pages go by it."""
    return String(length).with_variant(String(length, collation="C"), POSTGRESQL)


def growing() -> Integer:
    """A primary key that the database counts up; 64 bits wide in both."""
    return Integer().with_variant(BigInteger(), POSTGRESQL)
