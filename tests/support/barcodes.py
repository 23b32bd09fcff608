"""Barcodes as pictures, on a plain card: licences by pdf417gen, the others by zxing-cpp's own writer."""

from __future__ import annotations

import cv2
import numpy as np
import pdf417gen
import zxingcpp
from PIL import Image

from kiosk.values import Pixels

NAMES = {"qr": "QRCode", "code128": "Code128", "datamatrix": "DataMatrix", "aztec": "Aztec", "pdf417": "PDF417"}


def on_card(*barcodes: Pixels) -> Pixels:
    """A pale card with barcodes one under the other: ``(H, W, 3) uint8 RGB``."""
    width = max(one.shape[1] for one in barcodes) + 120
    height = sum(one.shape[0] + 60 for one in barcodes) + 120
    card = np.full((height, width, 3), (236, 232, 225), dtype=np.uint8)
    top = 80
    for one in barcodes:
        card[top : top + one.shape[0], 60 : 60 + one.shape[1]] = one
        top += one.shape[0] + 60
    return card


def barcode(text: str, kind: str, scale: int = 4) -> Pixels:
    """One barcode on white."""
    made = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, NAMES[kind]))
    grey = np.array(made.to_image(scale=scale))
    if grey.shape[0] < 60:  # a linear code is written one row high
        grey = cv2.resize(grey, (grey.shape[1], 60), interpolation=cv2.INTER_NEAREST)
    return np.repeat(np.pad(grey, 24, constant_values=255)[:, :, None], 3, axis=2)


def pdf417(text: str, scale: int = 3) -> Pixels:
    """A PDF417 symbol by another hand than the decoder's."""
    codes = pdf417gen.encode(text.encode("latin-1"), columns=10, security_level=5)
    picture: Image.Image = pdf417gen.render_image(codes, scale=scale, ratio=3, padding=12)
    return np.array(picture.convert("RGB"))
