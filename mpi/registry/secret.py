"""The registry's secret: 16 bytes that key every hash of personal values, kept outside the database.

A stolen table cannot be searched for numbers without it, and a registry refuses any secret but its own.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from mpi.domain.errors import RegistrySecretError

SECRET_BYTES = 16
_DOMAIN = b"mpi registry secret fingerprint v1\x00"


@dataclass(frozen=True, slots=True)
class RegistrySecret:
    """The key itself; it never shows in a repr."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != SECRET_BYTES:
            raise RegistrySecretError(f"a registry secret has {SECRET_BYTES} bytes, not {len(self.key)}")

    @classmethod
    def generate(cls) -> "RegistrySecret":
        """A new secret from the system's random source."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def from_text(cls, text: str) -> "RegistrySecret":
        """Reads 32 hexadecimal digits. Raises RegistrySecretError for anything else."""
        try:
            return cls(bytes.fromhex(text.strip()))
        except ValueError:
            raise RegistrySecretError("a registry secret is written as 32 hexadecimal digits") from None

    @classmethod
    def from_file(cls, path: Path) -> "RegistrySecret":
        """Reads a secret file. Raises RegistrySecretError when it cannot be read or holds something else."""
        try:
            return cls.from_text(path.read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError) as error:
            raise RegistrySecretError(f"cannot read the registry secret {path}: {type(error).__name__}") from None

    def fingerprint(self) -> str:
        """What the registry keeps to know its secret again: SHA-256 under a domain of its own, in hex."""
        return hashlib.sha256(_DOMAIN + self.key).hexdigest()


def default_secret_path(url: sa.URL, *, data_home: Path | None = None) -> Path:
    """Where a secret lives that nobody named: beside an SQLite file, else in the user's data folder under a digest.

    `data_home` is `$XDG_DATA_HOME` or `~/.local/share` when not given; the digest is of host, port and database.
    """
    if url.drivername == "sqlite":
        return Path(f"{url.database}.secret")
    place = "\x00".join([url.host or str(url.query.get("host", "")), str(url.port or 5432), url.database or ""])
    name = hashlib.sha256(place.encode()).hexdigest()[:32]
    base = data_home or Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "mpi" / "secrets" / f"{name}.secret"


def load_or_create(path: Path) -> RegistrySecret:
    """The secret at a path, made now if there is none: two processes agree on one. Raises RegistrySecretError."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(RegistrySecret.generate().key.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # Whole or not at all, and never over another one.
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        except OSError as error:
            raise RegistrySecretError(f"cannot write the registry secret {path}: {error.strerror}") from None
    return RegistrySecret.from_file(path)
