"""The desk's languages: catalogues read once at the start, and dates and numbers as each language writes them.

A message is its English sentence; what has no translation is shown in English. Values of records are never translated.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from babel.dates import format_datetime, format_timedelta
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup, escape

LANGUAGES = ("vi", "en")
"""What the desk speaks; the first is everybody's until they choose."""

COOKIE = "desk-language"
"""Who has not signed in yet keeps a choice of language here."""

CITY = timezone(timedelta(hours=7))
"""The clock on the wall: one time zone, without summer time."""

_DAY = {"vi": "dd/MM/yyyy", "en": "d MMM yyyy"}
_MINUTE = {"vi": "HH:mm dd/MM/yyyy", "en": "d MMM yyyy, HH:mm"}

Plurals = Mapping[tuple[str, str], Sequence[str]]


def message(text: str) -> str:
    """Marks an English text in code as one that catalogues translate; it stays as it is."""
    return text


@dataclass(frozen=True, slots=True)
class Words:
    """One language: `single` by message, `plural` by both English forms; Vietnamese has one form for every number."""

    language: str
    single: Mapping[str, str] = field(default_factory=dict)
    plural: Plurals = field(default_factory=dict)

    def gettext(self, text: str, **values: object) -> Markup:
        """A message in this language, with `{name}` filled in. Catalogues are trusted as HTML; values, and a
        text that no catalogue has, are escaped."""
        said = Markup(self.single[text]) if text in self.single else escape(text)
        return said.format(**values) if values else said

    def ngettext(self, one: str, many: str, count: int, **values: object) -> Markup:
        """A message about a number of things; `{count}` is that number as the language writes it."""
        forms = self.plural.get((one, many), (one, many))
        said = Markup(forms[0] if count == 1 else forms[-1])
        return said.format(count=self.number(count), **values)

    def number(self, value: float, digits: int = 0) -> str:
        """A number with the separators of the language."""
        return str(format_decimal(value, "#,##0" + ("." + "0" * digits if digits else ""), locale=self.language))

    def percent(self, share: float, digits: int = 0) -> str:
        """A share of one as percent."""
        return f"{self.number(100 * share, digits)}%"

    def date(self, moment: str) -> str:
        """The day of a registry time (ISO 8601), on the city's clock; a date without a time stays that day."""
        return str(format_datetime(_clock(moment), _DAY[self.language], locale=self.language))

    def moment(self, moment: str) -> str:
        """Day and minute of a registry time (ISO 8601), on the city's clock."""
        return str(format_datetime(_clock(moment), _MINUTE[self.language], locale=self.language))

    def age(self, moment: str, now: datetime | None = None) -> str:
        """How long ago a registry time was, in the largest unit that says it."""
        passed = (now or datetime.now(UTC)) - _clock(moment)
        return str(format_timedelta(max(passed, timedelta(0)), threshold=1.2, locale=self.language))


def _clock(moment: str) -> datetime:
    """A time of the registry on the city's clock. Raises ValueError for what is no ISO 8601 time or date."""
    read = datetime.fromisoformat(moment)
    return read.astimezone(CITY) if read.tzinfo else read.replace(tzinfo=CITY)


@lru_cache(maxsize=1)
def catalogues() -> Mapping[str, Words]:
    """All languages, read from the package's files the first time."""
    locale = files("reviewer_ui") / "locale"
    return {language: _read(language, _catalogue_files(locale, language)) for language in LANGUAGES}


def _catalogue_files(locale: Traversable, language: str) -> list[Traversable]:
    folder = locale / language / "LC_MESSAGES"
    if not folder.is_dir():
        return []
    return sorted((each for each in folder.iterdir() if each.name.endswith(".po")), key=lambda each: each.name)


def _read(language: str, parts: Iterable[Traversable]) -> Words:
    single: dict[str, str] = {}
    plural: dict[tuple[str, str], Sequence[str]] = {}
    for part in parts:
        with part.open("rb") as opened:
            for found in read_po(opened, locale=language, abort_invalid=True):
                if not found.id or not found.string or found.fuzzy:
                    continue
                if isinstance(found.id, str):
                    single[found.id] = str(found.string)
                else:
                    plural[found.id[0], found.id[1]] = tuple(found.string)
    return Words(language, single, plural)


def choose(account: str | None, cookie: str | None, accepted: str | None) -> str:
    """The language to answer in: the account's, the cookie's, the browser's first that the desk speaks, Vietnamese."""
    for wanted in (account, cookie, *_by_preference(accepted or "")):
        if wanted in LANGUAGES:
            return str(wanted)
    return LANGUAGES[0]


def _by_preference(header: str) -> list[str]:
    """The languages of an Accept-Language header, without their countries, the most wanted first."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:400].split(",")):
        name, _, quality = part.strip().partition(";")
        try:
            share = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if share > 0:
            wanted.append((-share, place, name.split("-")[0].strip().lower()))
    return [name for _, _, name in sorted(wanted)]
