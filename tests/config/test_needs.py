"""What an installation takes from the configuration: packages, and no more network than is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.cli import doctor
from kiosk.config.load import parse
from kiosk.config.needs import extras, main, network

SITE = '[rekognition.site]\nenabled = true\nendpoint_url = "{}"\n[identity.models."7.0"]\nthreshold = 99.0\n'
AWS = '[rekognition.aws]\nenabled = true\n[identity.models."7.0"]\nthreshold = 99.0\n'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ()),
        (SITE.format("https://cellar.example"), ("cloud",)),
        ("[cloud.directory]\nenabled = true\n", ("cloud",)),
        ('[cloud.pictures]\nenabled = true\nbucket = "faces-of-site"\n', ("cloud",)),
        ("[enrollment.textract]\nenabled = true\n", ("cloud",)),
        ('[kpi]\nprometheus = "127.0.0.1:9464"\n[kpi.cloudwatch]\nenabled = true\n', ("cloud", "kpi")),
        ('[rekognition.server]\ndatabase = "postgresql:///kiosk"\n', ("postgres",)),
    ],
)
def test_the_packages_are_those_of_what_is_enabled(text: str, wanted: tuple[str, ...]) -> None:
    """Nothing for what is only described."""
    assert extras(parse(text, "kiosk.toml")) == wanted


def given(text: str) -> list[str]:
    """The settings of the drop-in."""
    made = network(parse(text, "kiosk.toml"))
    return [line for line in made.splitlines() if "=" in line]


OPEN = ["PrivateNetwork=no", "RestrictAddressFamilies=AF_INET AF_INET6"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("[cloud.directory]\nenabled = true\n", [], id="the desk's alone"),
        pytest.param(AWS, [*OPEN, "IPAddressDeny="], id="AWS"),
        pytest.param(SITE.format("https://cellar.example:8765"), [*OPEN, "IPAddressDeny="], id="the cellar"),
        pytest.param(SITE.format("http://127.0.0.1:8765"), [*OPEN, "IPAddressAllow=localhost"], id="this machine"),
        pytest.param(SITE.format("http://[::1]:8765"), [*OPEN, "IPAddressAllow=localhost"], id="this machine, IPv6"),
        pytest.param(
            '[kpi]\nprometheus = "127.0.0.1:9464"\n',
            [*OPEN, "IPAddressAllow=localhost", "SocketBindAllow=tcp:9464"],
            id="figures for this machine",
        ),
        pytest.param(SITE.format("https://localhost:8765"), [*OPEN, "IPAddressAllow=localhost"], id="by its name"),
        pytest.param(
            '[kpi]\nprometheus = "localhost:9464"\n',
            [*OPEN, "IPAddressAllow=localhost", "SocketBindAllow=tcp:9464"],
            id="figures by its name",
        ),
        pytest.param(
            '[kpi]\nprometheus = "0.0.0.0:9464"\n',
            [*OPEN, "IPAddressDeny=", "SocketBindAllow=tcp:9464"],
            id="figures for others",
        ),
        pytest.param("[kpi.cloudwatch]\nenabled = true\n", [*OPEN, "IPAddressDeny="], id="CloudWatch"),
    ],
)
def test_the_door_gets_the_network_that_is_named_and_no_more(text: str, lines: list[str]) -> None:
    """None for what only desk commands use, this machine's own for what is only here, one port to listen on."""
    assert given(text) == lines


def test_a_wrong_configuration_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing on standard output that could be taken for an answer."""
    (tmp_path / "kiosk.toml").write_text("[door]\npulse = 3\n")
    assert main(["network", "--config", str(tmp_path / "kiosk.toml")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "door" in err


def test_doctor_tells_when_the_sandbox_was_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways: an engine that cannot be reached, and a network that nothing needs any more."""
    monkeypatch.setattr(doctor, "UNITS", tmp_path)
    bare, aws = parse("", "kiosk.toml"), parse(AWS, "kiosk.toml")
    assert doctor._network(aws, tmp_path).result == "ok"  # a checkout: there is no sandbox
    (tmp_path / "kiosk.service").touch()
    check = doctor._network(aws, tmp_path)
    assert (check.result, check.mend) == ("warning", "sudo ./setup.sh install")
    assert doctor._network(bare, tmp_path).result == "ok"
    (tmp_path / "kiosk.service.d").mkdir()
    (tmp_path / "kiosk.service.d" / "network.conf").write_text(network(aws) + "\n")
    assert doctor._network(aws, tmp_path).result == "ok"
    assert doctor._network(bare, tmp_path).result == "warning"
