"""The desk's languages: every message has its Vietnamese, and dates and numbers are written as each language does."""

from collections import defaultdict
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import reviewer_ui
from reviewer_ui.languages import Words, catalogues, choose

HOME = Path(reviewer_ui.__file__).parent
CATALOGUES = sorted((HOME / "locale" / "vi" / "LC_MESSAGES").glob("*.po"))
VI = catalogues()["vi"]
MORNING = "2026-11-22T01:05:00.000000Z"


def messages() -> dict[Any, str]:
    """Every message of the desk's code and templates, and the file that has it."""
    found = extract_from_dir(
        HOME,
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")],
        keywords={"_": None, "t": None, "message": None, "ngettext": (1, 2)},
        options_map={"templates/**.html": {"silent": "false"}},
    )
    return {text: file for file, _, text, _, _ in found}


def translations() -> dict[str, dict[Any, Any]]:
    """What every catalogue says, by its name."""
    return {
        path.name: {each.id: each.string for each in read_po(BytesIO(path.read_bytes()), locale="vi") if each.id}
        for path in CATALOGUES
    }


def test_every_message_has_its_vietnamese() -> None:
    known = {*VI.single, *VI.plural}
    assert {text: file for text, file in messages().items() if text not in known} == {}


def test_no_translation_is_of_a_message_that_nobody_says() -> None:
    said = set(messages())
    unused = {part: sorted(map(str, set(texts) - said)) for part, texts in translations().items()}
    assert {part: texts for part, texts in unused.items() if texts} == {}


def test_no_two_catalogues_say_one_message_differently() -> None:
    said: defaultdict[object, set[str]] = defaultdict(set)
    for texts in translations().values():
        for text, vietnamese in texts.items():
            said[text].add(str(vietnamese))
    assert {text: ways for text, ways in said.items() if len(ways) > 1} == {}


def test_translations_fill_in_what_messages_do_and_hold_no_markup() -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    pairs = [(text, vietnamese) for text, vietnamese in VI.single.items()]
    pairs += [(many, forms[0]) for (_, many), forms in VI.plural.items()]
    assert [text for text, vietnamese in pairs if names(text) != names(vietnamese)] == []
    assert [text for pair in pairs for text in pair if set(text) & set('<>&"')] == []


def test_a_message_is_filled_in_and_what_is_filled_in_is_escaped() -> None:
    words = Words("vi", {"Task {number}": "Việc {number}"}, {("one", "{count} tasks"): ("{count} việc",)})
    assert words.gettext("Task {number}", number="<b>") == "Việc &lt;b&gt;"
    assert words.gettext("Nothing known") == "Nothing known"
    assert words.ngettext("one", "{count} tasks", 1) == "1 việc"
    assert words.ngettext("one", "{count} tasks", 12_345) == "12.345 việc"
    english = Words("en")
    assert (english.ngettext("one", "{count} tasks", 1), english.ngettext("one", "{count} tasks", 2)) == (
        "one",
        "2 tasks",
    )


def test_dates_and_numbers_are_written_as_the_language_does() -> None:
    vi, en = catalogues()["vi"], catalogues()["en"]
    assert (vi.moment(MORNING), en.moment(MORNING)) == ("08:05 22/11/2026", "22 Nov 2026, 08:05")
    assert (vi.date("2026-11-22T20:00:00Z"), en.date("2026-11-22")) == ("23/11/2026", "22 Nov 2026")
    assert (vi.number(1234.56, 1), en.number(1234.56, 1), vi.percent(0.256, 1)) == ("1.234,6", "1,234.6", "25,6%")
    now = datetime(2026, 11, 24, 1, 5, tzinfo=UTC)
    assert (vi.age(MORNING, now), en.age(MORNING, now)) == ("2 ngày", "2 days")


@pytest.mark.parametrize(
    ("account", "cookie", "accepted", "language"),
    [
        (None, None, None, "vi"),
        ("en", "vi", "vi", "en"),
        (None, "en", "vi", "en"),
        (None, "fr", "en-GB,en;q=0.9,vi;q=0.8", "en"),
        (None, None, "fr,vi;q=0.3,en;q=0.2", "vi"),
        (None, None, "en;q=0, vi", "vi"),
        (None, None, "de;q=x, *", "vi"),
        (None, None, "," * 5000, "vi"),
    ],
)
def test_the_language_is_the_accounts_then_the_cookies_then_the_browsers(
    account: str | None, cookie: str | None, accepted: str | None, language: str
) -> None:
    assert choose(account, cookie, accepted) == language
