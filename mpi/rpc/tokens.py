"""Consistency, resume and page tokens: opaque text that only the registry which gave it understands.

Each holds its content and a seal under the registry's secret, so that another registry's token, or one that was
changed, is refused and not misread.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence

from mpi.domain.errors import InvalidInputError
from mpi.rpc.errors import ConsistencyTokenError, PageTokenError, ResumeTokenError

_SEAL_BYTES = 8
_DOMAIN = b"mpi tokens v1"


class Tokens:
    """Makes and reads the tokens of one registry, whose 16-byte secret seals them."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(_DOMAIN, key=secret, digest_size=32).digest()
        self._consistency = hashlib.blake2b(key=self._key, digest_size=_SEAL_BYTES, person=b"consistency")
        self._resume = hashlib.blake2b(key=self._key, digest_size=_SEAL_BYTES, person=b"resume")
        self._page = hashlib.blake2b(key=self._key, digest_size=_SEAL_BYTES, person=b"page")

    def consistency(self, revision: int) -> str:
        """Stands for everything up to a revision."""
        return _sealed(self._consistency, _bytes(revision))

    def at_least(self, token: str) -> int:
        """The revision that a consistency token stands for; 0 for none. Raises ConsistencyTokenError."""
        if not token:
            return 0
        found = _opened(self._consistency, token)
        if found is None:
            raise ConsistencyTokenError(
                "the consistency token is none of this registry's", metadata={"field": "consistency_token"}
            )
        return int.from_bytes(found)

    def resume(self, revision: int) -> str:
        """Goes on after a revision."""
        return _sealed(self._resume, _bytes(revision))

    def resumed(self, token: str) -> int:
        """The revision after which a resume token goes on. Raises ResumeTokenError."""
        found = _opened(self._resume, token)
        if found is None:
            raise ResumeTokenError("the resume token is none of this registry's", metadata={"field": "resume_token"})
        return int.from_bytes(found)

    def page(self, question: bytes, position: Sequence[str]) -> str:
        """Goes on after a position in the answer to a question (the fields of the request that must not change)."""
        seal = self._page.copy()
        seal.update(hashlib.blake2b(question, digest_size=16).digest())
        return _sealed(seal, json.dumps(position, ensure_ascii=False, separators=(",", ":")).encode())

    def position(self, question: bytes, token: str) -> tuple[str, ...]:
        """The position that a page token stands for. Raises PageTokenError, for other fields too."""
        seal = self._page.copy()
        seal.update(hashlib.blake2b(question, digest_size=16).digest())
        found = _opened(seal, token)
        if found is None:
            raise PageTokenError(
                "the page token is none of this registry's, or of a request with other fields",
                metadata={"field": "page_token"},
            )
        return tuple(json.loads(found))


def digest_of(verb: str, payload: bytes) -> bytes:
    """What tells a repeat of a request id from another request: SHA-256 of the verb and the request's bytes."""
    return hashlib.sha256(verb.encode() + b"\x00" + payload).digest()


def _bytes(revision: int) -> bytes:
    if revision < 0:
        raise InvalidInputError(f"there is no revision {revision}")
    return revision.to_bytes(8)


def _sealed(seal: "hashlib.blake2b", content: bytes) -> str:
    sum_ = seal.copy()
    sum_.update(content)
    return base64.urlsafe_b64encode(sum_.digest() + content).rstrip(b"=").decode("ascii")


def _opened(seal: "hashlib.blake2b", token: str) -> bytes | None:
    """What is under a seal; None when it is broken."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    content = raw[_SEAL_BYTES:]
    sum_ = seal.copy()
    sum_.update(content)
    return content if hmac.compare_digest(sum_.digest(), raw[:_SEAL_BYTES]) else None
