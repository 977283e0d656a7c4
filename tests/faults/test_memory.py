"""What a link holds in memory does not grow with its source files: ten times the file, the same peak."""

import json
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from mpi.registry.migrate import migrate
from tests.faults.victim import link_and_weigh

RECORDS = 2_000
ROWS = 20_000
MORE = 10
LONG = "x" * 400


def _lines(ending: str, rows: int) -> Iterator[str]:
    """The same records again and again, so that the registry is as large whatever the file."""
    if ending == "csv":
        yield "source_record_id,name,birth,number"
    for n in range(rows):
        who = str(n % RECORDS)
        values = {
            "source_record_id": who,
            "name": f"an {who} {LONG}",
            "birth": "1980-01-01",
            "number": f"7{who}",
        }
        yield ",".join(values.values()) if ending == "csv" else json.dumps(values)


def _peak(forks: ForkServerContext, folder: Path, ending: str, rows: int) -> tuple[int, int]:
    """Bytes of the file and of the most memory held."""
    folder.mkdir()
    path, said, url = folder / f"a.{ending}", folder / "said", f"sqlite:///{folder}/registry.db"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in _lines(ending, rows))
    migrate(url)
    process = forks.Process(target=link_and_weigh, args=(url, {"a": path}, said))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    return path.stat().st_size, int(said.read_text())


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_ten_times_the_file_takes_no_more_memory(ending: str, forks: ForkServerContext, tmp_path: Path) -> None:
    small, peak = _peak(forks, tmp_path / "small", ending, ROWS)
    large, peak_of_large = _peak(forks, tmp_path / "large", ending, ROWS * MORE)
    assert large - small > 70_000_000
    assert peak_of_large - peak < (large - small) // 4
