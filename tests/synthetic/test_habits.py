import re
from dataclasses import replace
from pathlib import Path

import pytest

import mpi.synthetic
from mpi.synthetic.habits import (
    HABITS,
    HARSH_MOODS,
    ROUGH_SHARES,
    ROUGH_SLIPS,
    SHARES,
    SLIPS,
    SOURCES,
    Moods,
    SourceHabits,
)
from mpi.synthetic.names import STYLES
from mpi.synthetic.sheet import DATE_FORMATS, SEX_WORDS

EVERY_SOURCE = [(name, source, habits[source]) for name, habits in HABITS.items() for source in habits]


def test_each_rate_has_one_row_and_a_meaning() -> None:
    names = [row[0] for row in (*SLIPS, *SHARES)]
    assert len(names) == len(set(names))
    assert all(row[5] for row in (*SLIPS, *SHARES))


def test_every_rate_is_read_somewhere_and_nothing_else_is() -> None:
    code = "\n".join(path.read_text() for path in Path(mpi.synthetic.__path__[0]).glob("*.py"))
    assert set(re.findall(r'\.(?:slips|lacks)\("(\w+)"\)', code)) == {row[0] for row in SLIPS}
    assert set(re.findall(r'\.share\("(\w+)"\)', code)) == {row[0] for row in SHARES}


@pytest.mark.parametrize(("city", "source", "habits"), EVERY_SOURCE)
def test_habits_are_sound(city: str, source: str, habits: SourceHabits) -> None:
    assert all(0 <= rate <= 1 for rate in (*habits.slips.values(), *habits.shares.values()))
    assert set(habits.styles) <= set(STYLES)
    assert set(habits.date_formats) | set(habits.year_formats) <= set(DATE_FORMATS)
    assert {word for male, female, _ in habits.sex_words for word in (male, female)} <= set(SEX_WORDS)
    for shares in (habits.styles, habits.date_formats, habits.year_formats):
        assert sum(shares.values()) == pytest.approx(1)
    assert habits.window[0] < habits.window[1]


def test_tables_reach_their_source() -> None:
    row = next(row for row in SLIPS if row[0] == "unaccented")
    assert [HABITS["default"][source].slip("unaccented") for source in SOURCES] == list(row[1:5])
    rough = next(row for row in ROUGH_SLIPS if row[0] == "unaccented")
    assert [HABITS["rough"][source].slip("unaccented") for source in SOURCES] == list(rough[1:5])


def test_the_rough_tables_name_only_known_rates() -> None:
    assert {row[0] for row in ROUGH_SLIPS} <= {row[0] for row in SLIPS}
    assert {row[0] for row in ROUGH_SHARES} <= {row[0] for row in SHARES}


def test_the_harsh_city_is_the_former_default_one() -> None:
    assert Moods(0.50, 0.06, (0.2, 0.55, 13.0), 0.6, 0.25) == HARSH_MOODS
    for source in SOURCES:
        harsh, default = HABITS["harsh"][source], HABITS["default"][source]
        assert harsh.moods == HARSH_MOODS != default.moods
        assert replace(harsh, moods=default.moods) == default


def test_an_unknown_rate_is_an_error() -> None:
    with pytest.raises(KeyError):
        HABITS["default"]["student"].slip("no such slip")
