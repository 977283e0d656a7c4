"""Pictures of screens as small PNG files: at most 256 colours, which is what a page of text and lines has use for."""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

Pixels = NDArray[np.uint8]

_COLOURS = 256
_MARK = b"\x89PNG\r\n\x1a\n"

# The browser takes apart its own pictures; we only put them together anew.
_DECODE = """async (picture) => {
  const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const bytes = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [bitmap.width, bitmap.height, btoa(text)];
}"""


def pixels_of(page: Page, picture: bytes) -> Pixels:
    """The pixels of a PNG, uint8 (height, width, 3), as the browser of a blank `page` reads it."""
    width, height, text = page.evaluate(_DECODE, base64.b64encode(picture).decode())
    whole = np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(height, width, 4)
    return np.ascontiguousarray(whole[:, :, :3])


def small_png(pixels: Pixels) -> bytes:
    """A PNG of pixels, uint8 (height, width, 3), in their most frequent colours; the others become the nearest."""
    height, width, _ = pixels.shape
    packed = pixels.reshape(-1, 3).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    colours, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    palette = colours[np.sort(np.argsort(-counts, kind="stable")[:_COLOURS])]
    nearest = _nearest(_parts(colours), _parts(palette))
    rows = nearest[places].reshape(height, width)
    filtered = np.concatenate([np.zeros((height, 1), dtype=np.uint8), rows], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", _parts(palette).astype(np.uint8).tobytes()))
    body = ((b"IDAT", zlib.compress(filtered.tobytes(), 9)), (b"IEND", b""))
    return _MARK + b"".join(_chunk(name, data) for name, data in (*chunks, *body))


def _parts(colours: NDArray[np.uint32]) -> NDArray[np.int32]:
    return np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.int32)


def _nearest(colours: NDArray[np.int32], palette: NDArray[np.int32]) -> Pixels:
    """The place in the palette of the colour that is nearest to each, uint8 (n,)."""
    places = [
        np.argmin(((part[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2), axis=1)
        for part in np.array_split(colours, max(1, len(colours) // 4096))
    ]
    return np.concatenate(places).astype(np.uint8)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
