"""Which addresses of a database may be written down: no passwords, no weak TLS, nothing that nobody thought about."""

from __future__ import annotations

import pytest

from kiosk.config.load import parse
from kiosk.config.server import ServerSettings, checked_url
from kiosk.errors import ConfigurationError

GOOD = (
    "postgresql://kiosk@db.example/kiosk",
    "postgres://db.example:5433/kiosk?sslmode=verify-full&sslrootcert=/etc/kiosk/db.crt",
    "postgresql://a.example:1,b.example:2/kiosk?target_session_attrs=read-write",
    "postgresql:///kiosk",
    "postgresql:///kiosk?host=/run/postgresql&sslmode=disable",
    "postgresql://localhost/kiosk?sslmode=prefer",
    "postgresql://127.0.0.2,[::1]:5433/kiosk?sslmode=disable",
    "postgresql://%2Frun%2Fpostgresql/kiosk?sslmode=disable",
)
BAD = (
    ("postgresql://kiosk:hunter2@db.example/kiosk", "must not hold a password"),
    ("postgresql://kiosk:@db.example/kiosk", "must not hold a password"),
    ("postgresql://kiosk:hunter2/x@db.example/kiosk", "must not hold a password"),
    ("postgresql://db.example/kiosk?password=hunter2", "must not hold a password"),
    ("postgresql://db.example/kiosk?sslpassword=hunter2", "must not hold a password"),
    ("postgresql://kiosk:hunter2@x@db.example/kiosk", "must be postgresql://"),
    ("postgresql://db.example/kiosk?sslmode=require", "verify-full"),
    ("postgresql://db.example/kiosk?sslmode=verify-ca", "verify-full"),
    ("postgresql://db.example/kiosk?sslmode=", "verify-full"),
    ("postgresql://localhost,db.example/kiosk?sslmode=prefer", "verify-full"),
    ("postgresql://localhost/kiosk?host=db.example&sslmode=disable", "verify-full"),
    ("postgresql://127.0.0.1.example/kiosk?sslmode=disable", "verify-full"),
    ("postgresql://%64b.example/kiosk?sslmode=disable", "verify-full"),
    ("postgresql://db.example/kiosk?sslmode=disable&sslmode=verify-full", "twice"),
    ("postgresql://db.example/kiosk?hostaddr=127.0.0.1", "must not set 'hostaddr'"),
    ("postgresql://db.example/kiosk?options=-c%20statement_timeout%3D0", "must not set 'options'"),
    ("postgresql://db.example/kiosk?service=mine", "must not set 'service'"),
    ("postgresql+psycopg2://db.example/kiosk", "must be postgresql://"),
    ("mysql://db.example/kiosk", "must be postgresql://"),
    ("host=db.example password=hunter2", "must be postgresql://"),
    ("postgresql://db.example/kiosk#x", "must be postgresql://"),
    ("postgresql://db.example/ki osk", "must be postgresql://"),
    ("postgresql://db.example/kiosk\n", "must be postgresql://"),
    ("", "must be postgresql://"),
)


@pytest.mark.parametrize("url", GOOD)
def test_a_safe_address_is_taken_as_it_is(url: str) -> None:
    """In the file and as an option."""
    assert checked_url(url) == url
    assert ServerSettings().at(url, "--database").database == url
    assert parse(f'[rekognition.server]\ndatabase = "{url}"', "kiosk.toml").rekognition.server.database == url


@pytest.mark.parametrize(("url", "words"), BAD)
def test_an_unsafe_address_is_refused_without_being_repeated(url: str, words: str) -> None:
    """A password that was not to be written is not written once more into a log."""
    with pytest.raises(ConfigurationError) as option:
        ServerSettings().at(url, "--database")
    with pytest.raises(ConfigurationError) as file:
        parse("[rekognition.server]\ndatabase = " + '"' + url.replace("\n", "\\n") + '"', "kiosk.toml")
    assert str(option.value).startswith("--database: ")
    assert str(file.value).startswith("kiosk.toml:2: [rekognition.server.database] ")
    for error in (option.value, file.value):
        assert words in str(error)
        assert "hunter2" not in str(error)
        assert "\n" not in str(error)


def test_nothing_is_the_embedded_database() -> None:
    """The default, and what an option that is not given leaves alone."""
    assert ServerSettings().database is None
    configured = ServerSettings(database="postgresql:///kiosk", memory_faces=5)
    assert configured.at(None, "--database") == configured
    assert configured.at("postgresql:///other", "--database").memory_faces == 5
