"""The desk's own files (style, script, icon), read once and served under an address that holds their digest."""

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
_DIGEST_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, the kind of it, and its digest."""

    content: bytes
    media_type: str
    digest: str


@cache
def assets() -> dict[str, Asset]:
    """Every file, by its name."""
    return {path.name: _asset(path) for path in sorted(FOLDER.iterdir()) if path.is_file()}


def address(name: str) -> str:
    """Where a file is served. Raises KeyError for one that there is not."""
    return f"/static/{assets()[name].digest}/{name}"


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return Asset(content, kind, hashlib.sha256(content).hexdigest()[:_DIGEST_LETTERS])
