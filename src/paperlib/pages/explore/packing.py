"""Arrays as short text inside a page."""

import base64
import zlib

import numpy as np


def pack(values: np.ndarray, level: int = 9) -> str:
    """Bytes of an array, compressed by zlib, as base64; the lowest bytes of all values come first and compress better."""
    plain = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    planes = plain.view(np.uint8).reshape(-1, plain.itemsize).T
    return base64.b64encode(zlib.compress(planes.tobytes(), level)).decode()
