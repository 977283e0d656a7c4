"""What is printed: numbers, control characters, bars."""

import io

import pytest
from rich.console import Console

from mpi.cli.output import cell_text, number, plain_table
from mpi.cli.pair_shown import WIDTH, pair_parts


def drawn(*parts: object) -> str:
    console = Console(file=io.StringIO(), width=200)
    for part in parts:
        console.print(part)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("value", "shown"), [(1234567, "1,234,567"), (0, "0"), (None, ""), (True, "True"), ("x", "x")])
def test_numbers_have_their_thousands_apart(value: object, shown: str) -> None:
    assert number(value) == shown


def test_data_cannot_drive_the_terminal() -> None:
    assert cell_text("a\x1b[31mb\r\n").plain == "a�[31mb��"
    assert "[red]x[/red]" in drawn(plain_table("", ["[red]x[/red]"], [["[bold]y[/bold]"]]))
    assert "[bold]y[/bold]" in drawn(plain_table("", ["a"], [["[bold]y[/bold]"]]))


def pair(bits: list[float], prior: float = -10.0) -> dict[str, object]:
    """An explanation with steps of so many bits."""
    total, steps = prior, []
    for place, each in enumerate(bits):
        total += each
        level = {"level": f"level {place}", "bits": each, "of_which_frequency": 0.0, "running_total": total}
        steps.append({"comparison": f"comparison {place}", **level})
    side = {"record": "a:1", "enterprise_id": None, "values": {"phone": "1", "full_name": "An"}}
    return {
        "rules": "r@1",
        "records": 1000,
        "left": side,
        "right": side,
        "same_person": False,
        "verdict": "review",
        "match_weight": total,
        "probability": 2**total / (1 + 2**total),
        "prior": prior,
        "contributions": steps,
        "thresholds": {"link": 8.0, "review": 2.0},
        "vetoes": ["twins"],
        "capped": ["phone"],
    }


def test_waterfall_steps_begin_where_the_one_before_ended() -> None:
    lines = drawn(*pair_parts(pair([30.0, 0.0, -15.0]))).splitlines()
    bars = [line for line in lines if "█" in line or "│" in line]
    starts = [min(line.index(mark) for mark in "█│" if mark in line) for line in bars]
    top = starts[0] + WIDTH - 1
    # 30 bits are the whole scale: from the prior at -10 up to 20, a mark there, and half the way down again
    assert [line.count("█") for line in bars] == [14, WIDTH - 1, 0, 21]
    assert starts == [starts[0], starts[0], top, top - 21]


def test_names_come_first_and_doubts_are_told() -> None:
    shown = drawn(*pair_parts(pair([12.0])))
    assert shown.index("full_name") < shown.index("phone")
    for words in (
        "veto: twins",
        "phone: the value is shared by too many",
        "not one person",
        "a question for a steward",
    ):
        assert words in shown


@pytest.mark.parametrize(("weight", "words"), [(40.0, "above 0.999999"), (-40.0, "below 0.000001"), (0.0, "0.500000")])
def test_probability_has_no_digits_that_mean_nothing(weight: float, words: str) -> None:
    assert words in drawn(*pair_parts(pair([], prior=weight)))
