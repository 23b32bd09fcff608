"""Barcodes in a picture, by zxing-cpp: any way up, dark on light or light on dark.

Rules:
- Only the kinds that are asked for are sought, and only what passes its own error correction is told.
- The picture is bounded first: a decoder written in C++ is given at most ``MOST_SIDE_PX`` a side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiosk.config.enrollment import BarcodeKind
from kiosk.errors import ConfigurationError, InputError
from kiosk.values import Pixels

MOST_SIDE_PX = 4000
"""Of a picture that barcodes are sought in: a card that fills half of it has 23 pixels for a millimetre."""
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
    small = np.ascontiguousarray(bounded(pixels))
    known = {getattr(zxingcpp.BarcodeFormat, _NAMES[kind]): kind for kind in kinds}
    image = zxingcpp.ImageView(small, small.shape[1], small.shape[0], zxingcpp.ImageFormat.RGB)
    try:
        # Plain: the other modes write control characters, which a licence is made of, as words.
        read = zxingcpp.read_barcodes(image, formats=_formats(kinds), text_mode=zxingcpp.TextMode.Plain)
    except (RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"barcodes cannot be sought ({type(error).__name__})", where="card") from error
    found: dict[str, Barcode] = {}
    for one in read[:MOST]:
        if one.valid and one.text and one.symbology in known:
            found.setdefault(one.text, Barcode(known[one.symbology], one.text))
    return tuple(found.values())


def _formats(kinds: Sequence[BarcodeKind]) -> Any:
    import zxingcpp

    return zxingcpp.barcode_formats_from_str(",".join(_NAMES[kind] for kind in kinds))
