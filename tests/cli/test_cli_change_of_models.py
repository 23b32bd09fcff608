"""The face model is changed by the configuration, as staff does it: commands and doctor say what is to be done next."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import embedder
from tests.support.clikit import Shell, linked_data, photo

FIRST, SECOND = (embedder.KINDS[name].version for name in ("sface", "fr_feature"))
LOW = ("--quality", "low", "--face", "central")
KEEP = "[enrollment]\nkeep_pictures = true\n"


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, Path]]:
    """Options for the time before the change, a hasty change, the change as it should be, and after it."""
    data = linked_data(tmp_path / "data", "core", "demo", "second-embedder")
    monkeypatch.setenv("KIOSK_DATA_DIR", str(data))
    identities = {
        "old": "",
        "hasty": '[identity]\nembedder = "fr_feature"\n',
        "change": '[identity]\nembedder = "fr_feature"\nembedder_before = "sface"\n',
    }
    made = {}
    for name, identity in identities.items():
        made[name] = ("-c", tmp_path / f"{name}.toml")
        made[name][1].write_text(KEEP + identity)
    return made


def faces(kiosk: Shell, options: tuple[str, Path]) -> tuple[str, str, str]:
    """(result, found, mend) of doctor's line."""
    (told,) = [one for one in kiosk("doctor", "--json", *options).lines if one["part"] == "faces"]
    return told["result"], told["found"], told["mend"]


def named(kiosk: Shell, options: tuple[str, Path]) -> tuple[str | None, str]:
    """(who is in Person A's other photograph, the model that decided)."""
    (found,) = kiosk("identify", photo("obama2.jpg"), "--json", *LOW, *options).lines
    return (found["person"] or {}).get("name"), found["model_version"]


def test_a_change_from_the_first_model_to_the_second(kiosk: Shell, configs: dict[str, tuple[str, Path]]) -> None:
    """Nobody is locked out at any step but by leaving the model of before out, which doctor tells."""
    enrolled = kiosk("enroll", photo("obama.jpg"), "--name", "Person A", *LOW, *configs["old"])
    assert enrolled.code == 0, enrolled
    assert faces(kiosk, configs["old"]) == ("ok", f"by {FIRST}: 1 people", "")

    assert named(kiosk, configs["hasty"]) == (None, SECOND)
    result, found, mend = faces(kiosk, configs["hasty"])
    assert (result, found.split(" (")[0]) == ("warning", "1 of 1 people are known by no face model in use")
    assert mend == "set identity.embedder_before, or kiosk reindex"

    change = configs["change"]
    assert named(kiosk, change) == ("Person A", FIRST)
    assert faces(kiosk, change)[2] == "kiosk reindex"
    twice = kiosk("enroll", photo("obama2.jpg"), "--name", "Twice", *LOW, *change).complaint
    assert "this face is enrolled already as Person A" in twice

    assert kiosk("reindex", *change).out == "0 current, 1 indexed anew\n"
    assert named(kiosk, change) == ("Person A", SECOND)
    assert faces(kiosk, change) == (
        "warning", f"everybody has moved to {SECOND}", "kiosk reindex --finish, then remove identity.embedder_before",
    )  # fmt: skip
    assert "1 faces of older models removed" in kiosk("reindex", "--finish", *change).out
    assert faces(kiosk, change)[2] == "remove identity.embedder_before"
    assert faces(kiosk, configs["hasty"]) == ("ok", f"by {SECOND}: 1 people", "")
    assert named(kiosk, configs["hasty"]) == ("Person A", SECOND)
    assert named(kiosk, configs["old"]) == (None, FIRST)


def test_a_model_of_before_that_is_the_present_one_is_a_mistake(kiosk: Shell, tmp_path: Path) -> None:
    """Told with the file, not taken for a change."""
    config = tmp_path / "kiosk.toml"
    config.write_text('[identity]\nembedder_before = "sface"\n')
    assert "embedder_before is the embedder itself" in kiosk("people", "list", "-c", config).complaint
