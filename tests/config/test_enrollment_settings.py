"""Settings of enrolling: what a site may write about cards, and what it is told when it errs."""

from __future__ import annotations

import pytest

from kiosk.config.load import parse
from kiosk.errors import ConfigurationError


def test_a_site_chooses_kinds_and_pattern() -> None:
    """As a list and as a text."""
    text = "[enrollment.cards]\nbarcodes = [\"qr\"]\nbadge_pattern = '^EMP-(?P<badge>\\d+)$'\n"
    cards = parse(text, "site").enrollment.cards
    assert cards.barcodes == ("qr",)
    assert cards.badge_pattern == r"^EMP-(?P<badge>\d+)$"
    assert parse("", "site").enrollment.textract.enabled is False


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('barcodes = ["ean"]', 'a list of "pdf417"'),
        ('barcodes = "qr"', 'a list of "pdf417"'),
        ('badge_pattern = "("', "no regular expression"),
        ("badge_pattern = '(\\d+)'", "one named group"),
        ('licence_country = "MEX"', 'one of "USA", "CAN"'),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(line: str, told: str) -> None:
    """With what is wanted."""
    with pytest.raises(ConfigurationError) as caught:
        parse(f"[enrollment.cards]\n{line}\n", "site")
    assert told in str(caught.value)
    assert "site:2" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://textract.example", "https://user@textract.example", "ftp://x"])
def test_cards_go_only_where_tls_proves_whose_it_is(url: str) -> None:
    """Whole cards would be readable on the way."""
    with pytest.raises(ConfigurationError, match="https://HOST"):
        parse(f'[enrollment.textract]\nendpoint_url = "{url}"\n', "site")
