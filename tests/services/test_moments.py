"""Times of capture compare by what they say, not by how they are written."""

import pytest

from mpi.services.moments import is_earlier, moment


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("2021-02-01", "2021-02-01"),
        ("2021-02-01T08:00:00Z", "2021-02-01T08:00:00Z"),
        ("01/02/2021", "2021-02-01"),
        ("2021", "2021"),
        ("no date", None),
        (None, None),
    ],
)
def test_a_moment_sorts_by_time(written: str | None, known: str | None) -> None:
    assert moment(written) == known


def test_only_what_is_surely_before_is_earlier() -> None:
    times = ["2020", "31/01/2021", "2021-02-01T07:00", "2021-02-01 08:00", "2021-02-02"]
    known = sorted(times, key=lambda text: moment(text) or "")
    assert not any(is_earlier(later, sooner) for at, sooner in enumerate(known) for later in known[at:])
    assert is_earlier("2021-01-31", "01/02/2021")
    assert is_earlier("2021-02-01T07:00", "2021-02-01T08:00")
    for unsure in (("2021-02-01", "2021-02-01T08:00"), ("2021", "2021-02-01"), (None, "2021"), ("2020", "?")):
        assert not is_earlier(*unsure)
        assert not is_earlier(*unsure[::-1])
