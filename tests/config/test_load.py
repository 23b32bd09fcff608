"""The configuration is read strictly, and every fault becomes one line that names file, line, key and mend."""

from __future__ import annotations

import math
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.load import LARGEST_BYTES, load, parse
from kiosk.config.tree import Settings
from kiosk.errors import ConfigurationError


def refusal(text: str) -> str:
    """The one line with which a text is refused."""
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "kiosk.toml")
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_tables_with_names_of_their_own_are_read_as_strictly() -> None:
    """Thresholds by face model: the name is free, what is in the table is not."""
    table = '[identity.models."7.0"]\n'
    found = parse(f"{table}threshold = 95\n", "kiosk.toml").identity.models
    assert (found["7.0"].threshold, found["7.0"].margin) == (95.0, 1.0)
    told = refusal(f"{table}threshold = 50\n")
    assert "kiosk.toml:2" in told
    assert "identity.models.7.0.threshold = 50 is not allowed" in told
    assert "wanted: a number from 90 to 100" in told
    assert "did you mean identity.models.7.0.threshold?" in refusal(f"{table}treshold = 95\n")
    assert "tables by name" in refusal("[identity]\nmodels = 3\n")


@pytest.mark.parametrize("group", ["kpi.cloudwatch", "cloud.directory", "rekognition.aws", "enrollment.textract"])
def test_an_address_that_others_could_read_along_is_told_by_its_own_line(group: str) -> None:
    """The same rule for every service, and the same words: the setting, its line, and not the password in it."""
    told = refusal(f'[{group}]\nregion = "eu-west-1"\nendpoint_url = "https://me:secret@cellar"\n')
    assert f"kiosk.toml:3: [{group}.endpoint_url] endpoint_url must be https" in told
    assert "wanted: a text in quotes" in told
    assert "secret" not in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[rekognition.site]\nendpoint_url = "http://10.0.0.5:8765"\n', "must be https"),
        ('[rekognition.site]\nendpoint_url = "http://localhost:8765"\n', "must be https"),
        ('[rekognition.site]\nendpoint_url = "https://me:secret@cellar"\n', "without a user"),
        ('[rekognition.site]\nendpoint_url = "cellar"\n', "must be https"),
        ("[rekognition.site]\nenabled = true\n", "site.endpoint_url is needed"),
        (
            '[rekognition.aws]\nenabled = true\nendpoint_url = "https://a"\n'
            '[rekognition.site]\nenabled = true\nendpoint_url = "https://a"\n',
            "one and the same",
        ),
        ("[rekognition.aws]\nenabled = true\n[identity]\nthreshold = 99.6\n", "fallback.threshold must be above"),
        ('[rekognition.aws]\nenabled = true\n[identity.models."7"]\nthreshold = 99.5\n', "must be above"),
        ('[identity.models." "]\nthreshold = 99.5\n', "without a name"),
        ('[rekognition.aws]\ncollection = "two words"\n', "collection"),
    ],
)
def test_an_engine_that_would_weaken_the_door_is_refused(text: str, words: str) -> None:
    """Answers that anybody could forge, faces sent elsewhere than said, a fallback that asks for less."""
    assert words in refusal(text)


def test_engines_that_are_well_configured_are_read() -> None:
    """Plain HTTP to this machine, TLS to others, a badge instead of a higher threshold."""
    here = parse('[rekognition.site]\nenabled = true\nendpoint_url = "http://127.0.0.1:1"\n', "a").rekognition.site
    assert here.enabled
    text = "[rekognition.aws]\nenabled = true\n[rekognition.fallback]\nbadge = true\n[identity]\nthreshold = 99.9\n"
    assert parse(text, "a").rekognition.fallback.badge


def test_without_any_file_the_defaults_hold(tmp_path: Path) -> None:
    """A kiosk runs without a configuration."""
    assert load(None, default=tmp_path / "absent.toml") == Settings()


def test_the_default_file_is_read_where_it_exists(tmp_path: Path) -> None:
    """The installed configuration needs no flag."""
    (tmp_path / "kiosk.toml").write_text("[door]\npulse_s = 5\n")
    assert load(None, default=tmp_path / "kiosk.toml").door.pulse_s == 5


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    """A mistyped --config never falls back to the defaults."""
    with pytest.raises(ConfigurationError, match="no such configuration file; create it"):
        load(tmp_path / "absent.toml")


def test_paths_and_unset_values_are_understood() -> None:
    """Text becomes a path where the tree wants one."""
    settings = parse('[records]\nkey_file = "/etc/kiosk/records.key"\n', "kiosk.toml")
    assert settings.records.key_file == Path("/etc/kiosk/records.key")


def test_one_limit_of_a_profile_leaves_its_other_limits() -> None:
    """[quality.enroll] starts from enroll's defaults, not from the door's."""
    settings = parse("[quality.enroll]\nyaw_deg = 5\n", "kiosk.toml")
    assert settings.quality.enroll == Settings().quality.enroll.model_copy(update={"yaw_deg": 5.0})
    assert settings.quality.door == Settings().quality.door


def test_a_byte_order_mark_is_forgiven(tmp_path: Path) -> None:
    """Some editors write one."""
    (tmp_path / "kiosk.toml").write_bytes(b"\xef\xbb\xbf[door]\npulse_s = 4\n")
    assert load(tmp_path / "kiosk.toml").door.pulse_s == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "[camera]\n\nfsp = 30\n",
            "kiosk.toml:3: unknown setting camera.fsp; did you mean camera.fps?",
            id="misspelt key",
        ),
        pytest.param("[camra]\nfps = 30\n", "kiosk.toml:1: unknown setting camra; did you mean camera?", id="group"),
        pytest.param(
            "[door]\nhold_s = 1\n",
            "kiosk.toml:2: unknown setting door.hold_s; did you mean visit.hold_s?",
            id="right name, wrong group",
        ),
        pytest.param(
            "[quality.door]\nyaw_degrees = 3\n",
            "kiosk.toml:2: unknown setting quality.door.yaw_degrees; did you mean quality.door.yaw_deg?",
            id="inner group",
        ),
        pytest.param(
            "[records]\nxyz = 3\n",
            "kiosk.toml:2: unknown setting records.xyz; known here: key_file, keep_events_days",
            id="nothing near",
        ),
        pytest.param(
            "# one\n[camera]\nfps = 500\n",
            "kiosk.toml:3: camera.fps = 500 is not allowed; wanted: a number from 5 to 120",
            id="out of range",
        ),
        pytest.param(
            "camera.fps = '30'\n",
            "kiosk.toml:1: camera.fps = '30' is not allowed; wanted: a number from 5 to 120",
            id="quoted number",
        ),
        pytest.param(
            '[door]\nactive_low = "no"\n',
            "kiosk.toml:2: door.active_low = 'no' is not allowed; wanted: true or false",
            id="quoted truth",
        ),
        pytest.param(
            "[identity]\nprobes = 3.5\n",
            "kiosk.toml:2: identity.probes = 3.5 is not allowed; wanted: a whole number from 3 to 5",
            id="fraction",
        ),
        pytest.param(
            '[door]\nkind = "servo"\n',
            'kiosk.toml:2: door.kind = \'servo\' is not allowed; wanted: one of "gpiozero", "gpiod", "memory"',
            id="choice",
        ),
        pytest.param(
            '[door]\npin = ""\n',
            "kiosk.toml:2: door.pin = '' is not allowed; wanted: a text in quotes of at least 1 character",
            id="empty",
        ),
        pytest.param(
            "[camera]\nlag_s = nan\n",
            "kiosk.toml:2: camera.lag_s = nan is not allowed; wanted: a number from 0 to 0.5",
            id="nan",
        ),
        pytest.param(
            "[liveness]\ntiming_p = 0\n",
            "kiosk.toml:2: liveness.timing_p = 0 is not allowed; wanted: a number above 0 to 0.001",
            id="open bound",
        ),
        pytest.param(
            "[records]\nkey_file = 3\n",
            "kiosk.toml:2: records.key_file = 3 is not allowed; wanted: a path in quotes",
            id="path",
        ),
        pytest.param(
            "display = 3\n",
            "kiosk.toml:1: display = 3 is not allowed; wanted: a table with kind, width_px",
            id="group that is no table",
        ),
        pytest.param(
            "[[door]]\npulse_s = 3\n",
            "kiosk.toml:1: door = [{'pulse_s': 3}] is not allowed; wanted: a table with kind",
            id="array of tables",
        ),
        pytest.param(
            "\n[guidance]\nnear_mm = 500\nfar_mm = 510\n",
            "kiosk.toml:2: [guidance] far_mm must be at least 1.1 times near_mm; change one of the two",
            id="contradiction",
        ),
        pytest.param(
            "[camera]\nfps = 500\nwidth_px = 1\n[visit]\nhold = 1\n",
            "kiosk.toml:2: camera.fps = 500 is not allowed (and 2 more after this); wanted",
            id="several faults",
        ),
        pytest.param("[camera\n", "kiosk.toml: not valid TOML: ", id="syntax"),
        pytest.param("[door]\npin = 1\npin = 2\n", "(at line 3, column 8)", id="key twice"),
    ],
)
def test_a_fault_is_told_in_one_line(text: str, expected: str) -> None:
    """File, line, key, given value and what is allowed."""
    assert expected in refusal(text)


def test_foreign_bytes_are_named_with_their_line(tmp_path: Path) -> None:
    """A file in another encoding is refused, not guessed."""
    (tmp_path / "kiosk.toml").write_bytes(b"[camera]\n# gr\xfc\xdfe\n")
    with pytest.raises(ConfigurationError, match=r"kiosk\.toml:2: not UTF-8 text; save it as UTF-8"):
        load(tmp_path / "kiosk.toml")


def test_a_directory_and_a_giant_are_refused(tmp_path: Path) -> None:
    """Anything that is plainly not the configuration."""
    with pytest.raises(ConfigurationError, match="is a directory"):
        load(tmp_path)
    (tmp_path / "big").write_bytes(b"#" * (LARGEST_BYTES + 1))
    with pytest.raises(ConfigurationError, match="larger than 256 KiB"):
        load(tmp_path / "big")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    """The mend names the permission."""
    path = tmp_path / "kiosk.toml"
    path.touch(mode=0o000)
    with pytest.raises(ConfigurationError, match="cannot be read: Permission denied; make it readable"):
        load(path)


def test_an_impossible_name_is_told(tmp_path: Path) -> None:
    """Any complaint of the operating system is one line too."""
    with pytest.raises(ConfigurationError, match="cannot be read: File name too long"):
        load(tmp_path / ("x" * 300))


_VALUES = st.one_of(
    st.integers(),
    st.floats(),
    st.booleans(),
    st.text(max_size=8).map(lambda text: repr(text.encode("ascii", "ignore"))),
)


@given(group=st.sampled_from(sorted(Settings.model_fields)), key=st.data(), value=_VALUES)
def test_any_value_is_taken_or_refused_with_the_line(group: str, key: st.DataObject, value: object) -> None:
    """No value, however odd, escapes as another kind of error."""
    names = sorted(type(getattr(Settings(), group)).model_fields)
    name = key.draw(st.sampled_from(names))
    shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
    if isinstance(value, str):
        shown = '"' + "".join(c for c in value if c.isalnum()) + '"'
    text = f"\n[{group}]\n{name} = {shown}\n"
    if isinstance(value, float) and not math.isnan(value):
        assert tomllib.loads(text)[group][name] == value
    try:
        settings = parse(text, "kiosk.toml")
    except ConfigurationError as error:
        line = str(error)
    else:
        read = tomllib.loads(text)[group][name]
        assert getattr(getattr(settings, group), name) == (Path(read) if name == "key_file" else read)
        return
    assert line.startswith(("kiosk.toml:3: ", "kiosk.toml:2: [")) or "not valid TOML" in line
