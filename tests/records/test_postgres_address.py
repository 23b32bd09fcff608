"""Connecting to PostgreSQL: what the environment adds counts too; whatever goes wrong is one line without a secret."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from kiosk.errors import ConfigurationError, KioskError, RecordsError, RecordsLocked
from kiosk.records.key import KeySource
from kiosk.records.postgres import Address
from kiosk.records.shared import SharedStore
from kiosk.rekognition.certificate import own_certificate
from tests.support.pgkit import LOCKED, PASSWORD, Postgres


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of whoever runs the tests."""
    for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSSLMODE", "PGPASSWORD", "PGSERVICE", "PGUSER", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))


def mode_of(url: str) -> str:
    """The ``sslmode`` that a connection would be made with."""
    return dict(Address.of(url).parameters)["sslmode"]


def complaint(url: str, key: Path, kind: type[KioskError] = RecordsError) -> str:
    """The one line of a start that must fail."""
    with pytest.raises(kind) as caught:
        SharedStore.open(url, KeySource(key), create=True)
    line = str(caught.value)
    assert "\n" not in line
    assert PASSWORD not in line
    assert "psycopg" not in line
    assert not key.exists()
    return line


def test_another_machine_is_spoken_to_over_tls_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody asking for it; here, and over a socket, as libpq likes."""
    assert mode_of("postgresql://db.example/kiosk") == "verify-full"
    assert mode_of("postgresql://localhost/kiosk") == "prefer"
    assert mode_of("postgresql:///kiosk") == "prefer"
    monkeypatch.setenv("PGSSLMODE", "prefer")
    assert mode_of("postgresql://db.example/kiosk") == "verify-full"


@pytest.mark.parametrize(
    ("url", "variables"),
    [
        ("postgresql://db.example/kiosk", {"PGSSLMODE": "require"}),
        ("postgresql:///kiosk?sslmode=require", {"PGHOST": "db.example"}),
        ("postgresql:///kiosk", {"PGHOST": "db.example", "PGSSLMODE": "disable"}),
        ("postgresql://localhost/kiosk?sslmode=prefer", {"PGHOSTADDR": "192.0.2.1"}),
    ],
)
def test_the_environment_cannot_weaken_it(url: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What libpq would take from there counts as if it stood in the address."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match="verify-full"):
        Address.of(url)


def test_a_service_file_counts_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its password is used, its weak TLS is not."""
    service = tmp_path / "pg_service.conf"
    service.write_text("[kiosk]\nhost=db.example\nsslmode=prefer\npassword=hunter2\n")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    monkeypatch.setenv("PGSERVICE", "kiosk")
    address = Address.of("postgresql:///kiosk")
    assert dict(address.parameters)["sslmode"] == "verify-full"
    assert "hunter2" not in repr(address)
    service.write_text("[kiosk]\nhost=db.example\nsslmode=allow\n")
    with pytest.raises(ConfigurationError, match="verify-full"):
        Address.of("postgresql:///kiosk")


def test_passwords_come_from_where_libpq_looks(
    postgres: Postgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment or ~/.pgpass; a wrong one is told as such."""
    url, key = postgres.url(database, LOCKED), tmp_path / "records.key"
    assert "the role or its password is wrong" in complaint(url, key, RecordsLocked)
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    assert "the role or its password is wrong; see PGPASSWORD, ~/.pgpass" in complaint(url, key, RecordsLocked)
    postgres.sql("postgres", f"ALTER DATABASE {database} OWNER TO {LOCKED}")
    postgres.sql(database, "CREATE EXTENSION vector")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    SharedStore.open(url, KeySource(key), create=True).close()
    monkeypatch.delenv("PGPASSWORD")
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:*:{LOCKED}:{PASSWORD}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    SharedStore.open(url, KeySource(key), create=False).close()


def test_whoever_is_not_there_is_told(postgres: Postgres, database: str, tmp_path: Path) -> None:
    """No server, no database, no role: each in its own words."""
    key = tmp_path / "records.key"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        port = taken.getsockname()[1]
        assert "cannot be reached" in complaint(f"postgresql://127.0.0.1:{port}/kiosk", key)
    assert "cannot be reached" in complaint(f"postgresql:///kiosk?host={tmp_path}", key)
    assert "cannot be reached" in complaint("postgresql://nowhere.invalid/kiosk", key)
    assert "there is no such database; create it" in complaint(postgres.url("nowhere"), key)
    assert "the role may not log in" in complaint(postgres.url(database, "nobody"), key)


def test_a_database_that_cannot_serve_is_told(
    postgres: Postgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pgvector not installed, not to be created, too old; another encoding."""
    key = tmp_path / "records.key"
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    postgres.sql(database, f"GRANT ALL ON SCHEMA public TO {LOCKED}")
    assert "may not create the extension vector; run CREATE EXTENSION vector" in complaint(
        postgres.url(database, LOCKED), key
    )
    postgres.sql("postgres", f"ALTER DATABASE {database} SET extension_control_path = '/nonexistent'")
    assert "pgvector is not installed on the database server" in complaint(postgres.url(database), key)
    postgres.sql("postgres", f"ALTER DATABASE {database} RESET extension_control_path")
    postgres.sql(database, "CREATE EXTENSION vector; UPDATE pg_extension SET extversion = '0.6.2' "
                 "WHERE extname = 'vector'")  # fmt: skip
    assert "pgvector 0.6.2 is too old; update it" in complaint(postgres.url(database), key)
    postgres.sql("postgres", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    assert "encoded in SQL_ASCII" in complaint(postgres.url("ascii"), key)
    postgres.drop("ascii")


@contextmanager
def tls_server(certificate: Path | None, key: Path | None, host: str = "127.0.0.1") -> Iterator[int]:
    """What answers PostgreSQL's request for TLS, with a certificate or a no, and then hangs up; its port."""
    listening = socket.create_server((host, 0))

    def answer() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                with peer, suppress(OSError):
                    peer.recv(8)  # SSLRequest (PostgreSQL, Message Formats)
                    peer.sendall(b"N" if certificate is None else b"S")
                    if certificate is not None:
                        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                        context.set_alpn_protocols(["postgresql"])
                        context.load_cert_chain(certificate, key)
                        with context.wrap_socket(peer, server_side=True) as secured:
                            secured.recv(1)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def test_a_server_that_cannot_prove_itself_is_not_spoken_to(tmp_path: Path) -> None:
    """No TLS, an unknown certificate, somebody else's: nothing is sent, and the reason is told."""
    key = tmp_path / "records.key"
    made, _ = own_certificate(tmp_path, "192.0.2.7", [])
    trusted = f"sslmode=verify-full&sslrootcert={made.chain}"
    with tls_server(None, None) as port:
        line = complaint(f"postgresql://127.0.0.1:{port}/kiosk?{trusted}", key, RecordsLocked)
        assert "the server speaks no TLS" in line
    for host, options in (
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=/nonexistent"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=system"),
        ("127.0.0.3", trusted),
    ):
        with tls_server(made.chain, made.key, host) as port:
            line = complaint(f"postgresql://{host}:{port}/kiosk?{options}", key, RecordsLocked)
            assert "the server's certificate is not trusted; name its authority in sslrootcert" in line
