"""How many lines and zones are read right off drawn, photographed specimens: synthetic, says little of real cards.

    KIOSK_DATA_DIR=var .venv/bin/python -m tests.bench.cards --pictures 12 --font dejavu --font ocr-b

Documents are drawn at random (names of a short list, numbers, dates; TD1, TD3 and TD2 in turn), lie any way up, and
are the same for each font. A zone counts as read when its check digits agree; it is wrong when a line then differs from
what was drawn.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from datetime import date

import numpy as np

from hardware.cards.textlines import zone_texts
from kiosk.config.paths import data_dir
from kiosk.enrollment.cards.mrz import TD1, TD2, TD3, parse_mrz
from kiosk.errors import InputError
from models.textline import TextLineModel
from tests.support.specimens import Shot, card, fonts, photographed
from tests.support.zones import zone

NAMES = (
    "ERIKSSON<<ANNA<MARIA", "LOVELACE<<ADA", "HOPPER<<GRACE<BREWSTER", "VAN<DER<MUELLEN<<JAN", "OBRIEN<<ZOE",
    "QUIXOTE<<SOFIA<ISABEL", "KOWALSKI<<JAKUB", "XU<<WEI",
)  # fmt: skip
SHOTS: dict[str, Callable[[random.Random], Shot]] = {
    "clean, 12 px/mm": lambda _: Shot(),
    "6 px/mm, noise 3, JPEG 85": lambda _: Shot(px_per_mm=6, noise=3, jpeg=85),
    "turned up to 8 deg": lambda chance: Shot(turn_deg=chance.uniform(-8, 8), noise=4, jpeg=85),
    "blur 1.5 px, noise 8, JPEG 70": lambda _: Shot(blur_px=1.5, noise=8, jpeg=70),
    "perspective 0.08": lambda _: Shot(perspective=0.08, noise=4, jpeg=85),
    "all of it, 10 px/mm": lambda chance: Shot(10, chance.uniform(-8, 8), 0.06, 1.0, 6, 70, 0.3),
}
TODAY = date(2026, 3, 1)


def document(chance: random.Random, number: int) -> tuple[str, ...]:
    """A random zone."""
    letters = "0123456789" if chance.random() < 0.5 else "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + 3 * "0123456789"
    layout = (TD1, TD3, TD2)[number % 3]
    return zone(
        layout, names=chance.choice(NAMES), number="".join(chance.choice(letters) for _ in range(9)),
        birth=f"{chance.randrange(100):02}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}",
        expiry=f"{chance.randrange(24, 36)}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}",
    )  # fmt: skip


def main() -> int:
    """A table, a row a kind of photograph and font."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--font", action="append", choices=sorted(fonts()))
    asked = parser.parse_args()
    scores = TextLineModel(data_dir()).scores
    took: list[float] = []
    print("photograph | font | lines right | zones read | of these wrong, number confirmed though wrong")  # noqa: T201 - a bench is for people
    for name, shot_of in SHOTS.items():
        for font in asked.font or fonts():
            lines = right = read = wrong = confirmed = 0
            for number in range(asked.pictures):
                chance = random.Random(f"{name} {number}")
                printed = document(chance, number)
                shot = shot_of(chance)
                drawn = photographed(card(printed, font=font, px_per_mm=shot.px_per_mm), shot, seed=number)
                pixels = np.ascontiguousarray(np.rot90(drawn, chance.randrange(4)))
                best = 0
                began = time.perf_counter()
                for text in zone_texts(pixels, scores):
                    if len(text.lines) == len(printed):
                        best = max(best, sum(one == other for one, other in zip(text.lines, printed, strict=True)))
                    try:
                        fields = parse_mrz(text.lines, TODAY, text.sure)
                    except InputError:
                        continue
                    read += 1
                    wrong += text.lines != printed
                    shown = fields.document_number
                    true = parse_mrz(printed, TODAY).document_number
                    if shown and true and shown.confirmed and shown.value != true.value:
                        confirmed += 1
                    break
                took.append(time.perf_counter() - began)
                lines += len(printed)
                right += best
            print(f"{name} | {font} | {right}/{lines} | {read}/{asked.pictures} | {wrong}, {confirmed}", flush=True)  # noqa: T201 - as above
    print(f"median {np.median(took):.2f} s a picture")  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
