"""The path that stands in the way, read back from the line that services write."""

import pytest

from reviewer_ui.contradictions import Step, path_steps


@pytest.mark.parametrize("path", ["", "; "])
def test_no_path_has_no_steps(path: str) -> None:
    assert path_steps(path) == []


def test_what_is_written_otherwise_is_shown_as_it_is() -> None:
    assert path_steps("a:1; whatever this is") == [Step("start", "a:1"), Step("plain", "whatever this is")]


def test_every_kind_of_step() -> None:
    path = (
        "a:1; same, judgement 3 by lan anh on 2026-11-22, as b:2; different, judgement 14 by m on 2026-01-02, as d:as e"
    )
    assert path_steps(path) == [
        Step("start", "a:1"),
        Step("same", "b:2", 3, "lan anh", "2026-11-22"),
        Step("different", "d:as e", 14, "m", "2026-01-02"),
    ]
