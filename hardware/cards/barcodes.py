"""Barcodes in a picture, by zxing-cpp: any way up, dark on light or light on dark.

Rules:
- Only the kinds that are asked for are sought, and only what passes its own error correction is told.
- The picture is bounded first: a decoder written in C++ is given at most ``MOST_SIDE_PX`` a side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiosk.config.enrollment import BarcodeKind
from kiosk.errors import ConfigurationError, InputError
from kiosk.values import Pixels

MOST_SIDE_PX = 4000
"""Of a picture that barcodes are sought in: a card that fills half of it has 23 pixels for a millimetre."""
LOOKS_PX = 2400
TURNS_DEG = (-4.0, 4.0, -8.0, 8.0)
"""Of drawn licences turned by 4 or 7 degrees the decoder alone read none of 36, with these looks all (synthetic)."""
MOST = 16
"""Barcodes that are told."""
_NAMES: dict[BarcodeKind, str] = {
    "pdf417": "PDF417",
    "qr": "QRCode",
    "code128": "Code128",
    "datamatrix": "DataMatrix",
    "aztec": "Aztec",
}


@dataclass(frozen=True, slots=True, repr=False)
class Barcode:
    """One barcode. Its text is personal data: never logged."""

    kind: BarcodeKind
    text: str

    def __repr__(self) -> str:
        return f"Barcode({self.kind})"


def bounded(pixels: Pixels, most_px: int = MOST_SIDE_PX) -> Pixels:
    """The picture with no side longer than ``most_px``."""
    import cv2

    scale = most_px / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def read_barcodes(pixels: Pixels, kinds: Sequence[BarcodeKind]) -> tuple[Barcode, ...]:
    """The barcodes of these kinds in ``(H, W, 3) uint8 RGB``, each text once.

    Raises ConfigurationError: zxing-cpp is not installed; InputError: it refuses the picture.
    """
    try:
        import zxingcpp
    except ImportError as error:
        mend = "pip install 'door-kiosk[cards]'"
        raise ConfigurationError("zxing-cpp is missing, barcodes are not read", where="cards", mend=mend) from error
    if not kinds:
        return ()
    found = _read(zxingcpp, bounded(pixels), kinds)
    if "pdf417" in kinds and all(one.kind != "pdf417" for one in found.values()):
        for look in _looks(bounded(pixels, LOOKS_PX)):
            more = _read(zxingcpp, look, ("pdf417",))
            if more:
                return (*found.values(), *more.values())
    return tuple(found.values())


def _read(zxingcpp: Any, pixels: Pixels, kinds: Sequence[BarcodeKind]) -> dict[str, Barcode]:
    """By text. ``zxingcpp`` is the module."""
    small = np.ascontiguousarray(pixels)
    known = {getattr(zxingcpp.BarcodeFormat, _NAMES[kind]): kind for kind in kinds}
    formats = zxingcpp.barcode_formats_from_str(",".join(_NAMES[kind] for kind in kinds))
    image = zxingcpp.ImageView(small, small.shape[1], small.shape[0], zxingcpp.ImageFormat.RGB)
    try:
        # Plain: the other modes write control characters, which a licence is made of, as words.
        read = zxingcpp.read_barcodes(image, formats=formats, text_mode=zxingcpp.TextMode.Plain)
    except (RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"barcodes cannot be sought ({type(error).__name__})", where="card") from error
    found: dict[str, Barcode] = {}
    for one in read[:MOST]:
        if one.valid and one.text and one.symbology in known:
            found.setdefault(one.text, Barcode(known[one.symbology], one.text))
    return found


def _looks(pixels: Pixels) -> Iterator[Pixels]:
    """The picture turned a little, then softened: the decoder finds a PDF417 symbol only where its rows lie level."""
    import cv2

    height, width = pixels.shape[:2]
    for angle in TURNS_DEG:
        about = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        turned = cv2.warpAffine(pixels, about, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        yield np.asarray(turned, dtype=np.uint8)
    yield np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.8), dtype=np.uint8)
