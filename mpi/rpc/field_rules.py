"""Kinds of rules that a request field may have, and how each refuses a value.

No refusal repeats the value: it may be a person's.
"""

import datetime
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import EnumDescriptor

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Tab and line ends come out of spreadsheets. C1 controls come out of UTF-8 that was read in the wrong encoding, and the
# standardiser needs them to read it again.
_CONTROL_IN_RAW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class RefusedError(Exception):
    """What is wrong with a value; the path to it grows from the inside out while the error passes."""

    def __init__(self, words: str, *, limit: int | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.limit = limit
        self.path = ""

    def under(self, place: str) -> None:
        """Note that the value lies in the field or item `place`."""
        dot = "." if self.path and self.path[0] != "[" else ""
        self.path = f"{place}{dot}{self.path}"


Check = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Raw:
    """Text as a source captured it, at most `most` characters: any Unicode form, zero-width characters, line ends."""

    most: int

    def check(self, value: str) -> None:
        """Raises RefusedError."""
        if len(value) > self.most:
            raise RefusedError(f"has more than {self.most:,} characters")
        if _CONTROL_IN_RAW.search(value):
            raise RefusedError("holds a control character")


@dataclass(frozen=True, slots=True)
class Text:
    """Text without control characters, at most `most` characters, that is wholly what `pattern` says, in `words`.

    A required one is not empty; in a oneof that means: not empty when it is the one that was chosen.
    """

    most: int
    required: bool = False
    pattern: re.Pattern[str] | None = None
    words: str = ""

    def check(self, value: str) -> None:
        """Raises RefusedError."""
        if not value:
            if self.required:
                raise RefusedError("is required")
        elif len(value) > self.most:
            raise RefusedError(f"has more than {self.most:,} characters")
        elif self.pattern is not None:
            if self.pattern.fullmatch(value) is None:
                raise RefusedError(f"must be {self.words}")
        elif _CONTROL.search(value):
            raise RefusedError("holds a control character")


@dataclass(frozen=True, slots=True)
class LocalId:
    """An id that a source system gave: printable, so without zero-width characters, composed (NFC), no space at an end.

    It is compared as it stands, so what looks alike must be alike.
    """

    most: int
    required: bool = True

    def check(self, value: str) -> None:
        """Raises RefusedError."""
        if not value:
            if self.required:
                raise RefusedError("is required")
        elif len(value) > self.most:
            raise RefusedError(f"has more than {self.most:,} characters")
        elif not value.isprintable() or value[0] == " " or value[-1] == " ":
            raise RefusedError("must be printable characters without a space at either end")
        elif not value.isascii() and not unicodedata.is_normalized("NFC", value):
            raise RefusedError("must be in Unicode's composed form (NFC)")


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def check(self, value: int) -> None:
        """Raises RefusedError."""
        if not self.least <= value <= self.most:
            raise RefusedError(f"must be from {self.least:,} to {self.most:,}")


@dataclass(frozen=True, slots=True)
class Real:
    """A number from `least` to `most`, with a fraction or without; never one that is no number."""

    least: float
    most: float

    def check(self, value: float) -> None:
        """Raises RefusedError."""
        if not self.least <= value <= self.most:
            raise RefusedError(f"must be from {self.least:,g} to {self.most:,g}")


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no: nothing to refuse."""

    def check(self, value: bool) -> None:
        """Takes both."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of an enum that this service knows, other than 0."""

    def of(self, enum: EnumDescriptor) -> Check:
        """The check of one enum; it raises RefusedError."""
        known = frozenset(number for number in enum.values_by_number if number)

        def check(value: int) -> None:
            if value not in known:
                raise RefusedError(f"must be a known value of {enum.name}, and not 0")

        return check


@dataclass(frozen=True, slots=True)
class Day:
    """A google.type.Date with year, month and day, of the years 1900 to 2200."""

    required: bool = False

    def check(self, value: Any) -> None:
        """Raises RefusedError."""
        try:
            year = datetime.date(value.year, value.month, value.day).year
        except (ValueError, OverflowError):
            year = 0
        if not 1900 <= year <= 2200:
            raise RefusedError("must be a whole date of the years 1900 to 2200")


@dataclass(frozen=True, slots=True)
class Moment:
    """A google.protobuf.Timestamp of the years 1900 to 2200."""

    required: bool = False

    def check(self, value: Any) -> None:
        """Raises RefusedError."""
        if not (-2_208_988_800 <= value.seconds < 7_289_654_400 and 0 <= value.nanos < 1_000_000_000):
            raise RefusedError("must be a time of the years 1900 to 2200")


@dataclass(frozen=True, slots=True)
class Part:
    """A message that has rules of its own."""

    required: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A repeated field of `least` to `most` items, each of which keeps to `each`."""

    most: int
    each: "Part | Choice"
    least: int = 0


@dataclass(frozen=True, slots=True)
class Entries:
    """A map of at most `most` texts."""

    most: int
    key: Text
    value: Raw


@dataclass(frozen=True, slots=True)
class OneOf:
    """A choice between fields; a required one must have been made."""

    required: bool = False


Value = Raw | Text | LocalId | Number | Real | Flag | Day | Moment
Rule = Value | Choice | Part | Items | Entries | OneOf
