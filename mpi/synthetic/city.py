"""Make a city: chunks of households go through the four sources, are dealt out at random, shuffled and written.

Rows are shuffled over the whole city and ids say nothing, so that a file's order or numbering leaks no truth.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mpi.domain.errors import InvalidInputError
from mpi.domain.records import CANONICAL_COLUMNS
from mpi.synthetic import text
from mpi.synthetic.habits import DEFAULT, Habits
from mpi.synthetic.names import make_name_book
from mpi.synthetic.numbers import NumberOffice, scramble
from mpi.synthetic.people import World, make_people
from mpi.synthetic.places import make_places
from mpi.synthetic.sheet import make_tables
from mpi.synthetic.sources import PERSON, RECORD_SCHEMA, type_records
from mpi.synthetic.text import IntArray, Strings
from mpi.synthetic.visits import draw_visits

HOUSEHOLDS_A_CHUNK = 25_000
PERSONS_A_PILE = 400_000
"""A city is shuffled in piles of about so many people; one pile is in memory at a time."""
MOST_PERSONS = 50_000_000
ID_PREFIXES = {"student": "HS", "station": "TYT", "hospital": "BN", "insurance": "BH"}
TRUTH_SCHEMA = pa.schema([("source", pa.string()), ("source_record_id", pa.string()), ("person_id", pa.string())])
SOURCE_SCHEMA = pa.schema([(name, pa.string()) for name in CANONICAL_COLUMNS])

Progress = Callable[[str, int, int], None]
"""Called with a step's name, how much is done and how much there is."""


@dataclass(frozen=True, slots=True)
class CitySummary:
    """What was made: people, households, records by source, and the files by source (and "truth")."""

    persons: int
    households: int
    records: Mapping[str, int]
    files: Mapping[str, Path]


class _Piles:
    """Arrow files on disk, some for each source, to which chunks of records are dealt at random."""

    def __init__(self, folder: Path, sources: tuple[str, ...], piles: int) -> None:
        self._folder = folder
        self._piles = piles
        self._writers = {
            (source, pile): pa.ipc.new_stream(str(self._path(source, pile)), RECORD_SCHEMA)
            for source in sources
            for pile in range(piles)
        }

    def _path(self, source: str, pile: int) -> Path:
        return self._folder / f"{source}-{pile}.arrow"

    def deal(self, rng: np.random.Generator, source: str, records: pa.Table) -> None:
        """Deal the records of one chunk over the source's piles."""
        pile = rng.integers(0, self._piles, records.num_rows)
        order = np.argsort(pile, kind="stable")
        dealt = records.take(pa.array(order))
        bounds = np.searchsorted(pile[order], np.arange(self._piles + 1))
        for at in range(self._piles):
            self._writers[source, at].write_table(dealt.slice(bounds[at], bounds[at + 1] - bounds[at]))

    def close(self) -> None:
        """End writing."""
        for writer in self._writers.values():
            writer.close()

    def shuffled(self, rng: np.random.Generator, source: str) -> Iterator[pa.Table]:
        """The source's piles, each in random order; a pile's file is removed once read."""
        for pile in range(self._piles):
            path = self._path(source, pile)
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                records = stream.read_all()
            path.unlink()
            yield records.combine_chunks().take(pa.array(rng.permutation(records.num_rows)))


def _ids(prefix: str, counts: IntArray, *, key: int, width: int) -> Strings:
    """Opaque ids: the prefix and a scrambled number of `width` digits."""
    half = 10 ** (width // 2)
    number = scramble(counts, half, 10**width // half, np.full(len(counts), key, dtype=np.int64))
    head = np.tile(np.frombuffer(prefix.encode(), dtype=np.uint8), (len(counts), 1))
    return text.grid_strings(np.hstack([head, text.digits(number, width)]), np.zeros(len(counts), dtype=np.bool_))


def _write_source(
    out: Path,
    source: str,
    piles: Iterator[pa.Table],
    *,
    seed: int,
    truth: pq.ParquetWriter,
    tell: Callable[[int], None],
) -> int:
    """Write one source's file and its part of the truth; the number of records written."""
    done = 0
    key = seed * 64 + sum(source.encode()) % 64
    with pq.ParquetWriter(out / f"{source}.parquet", SOURCE_SCHEMA, compression="zstd", compression_level=1) as file:
        for records in piles:
            ids = _ids(ID_PREFIXES.get(source, "R"), np.arange(done, done + records.num_rows), key=key, width=9)
            persons = _ids("P", records[PERSON].to_numpy(), key=seed * 64 + 63, width=9)
            columns = [ids if name == "source_record_id" else records[name] for name in CANONICAL_COLUMNS]
            file.write_table(pa.Table.from_arrays(columns, schema=SOURCE_SCHEMA), row_group_size=131_072)
            system = pa.repeat(pa.scalar(source), records.num_rows)
            truth.write_table(pa.Table.from_arrays([system, ids, persons], schema=TRUTH_SCHEMA), row_group_size=131_072)
            done += records.num_rows
            tell(done)
    return done


def _fill_piles(
    piles: _Piles, habits: Habits, *, persons: int, seed: int, progress: Progress | None
) -> tuple[int, Mapping[str, int]]:
    """Make people and their records chunk by chunk; the number of households and of records by source."""
    world, tables = World(make_name_book(), make_places(), NumberOffice(seed)), make_tables()
    made, households, chunk = 0, 0, 0
    records = dict.fromkeys(habits, 0)
    while made < persons:
        rng = np.random.default_rng([seed, chunk])
        count = min(HOUSEHOLDS_A_CHUNK, 1 + persons - made)
        people = make_people(rng, world, households=count, first_person=made, first_household=households)
        people = people.head(persons - made)
        for source, visits in draw_visits(rng, habits, people).items():
            typed = type_records(rng, source, habits[source], people=people, visits=visits, world=world, tables=tables)
            piles.deal(rng, source, typed)
            records[source] += typed.num_rows
        made, households, chunk = made + len(people), int(people.household[-1]) + 1, chunk + 1
        if progress:
            progress("people and records", made, persons)
    return households, records


def generate_city(
    out: Path, *, persons: int, seed: int, habits: Habits = DEFAULT, progress: Progress | None = None
) -> CitySummary:
    """Write a made-up city into the folder `out`: a Parquet file a source in the canonical columns, and truth.parquet.

    Every person has at least one record, the average person 1.86. The same persons, seed and habits give the same
    bytes. Missing values are null. truth.parquet has the columns source, source_record_id and person_id.
    Raises InvalidInputError for a number of persons or a seed that cannot be.
    """
    if not 1 <= persons <= MOST_PERSONS:
        raise InvalidInputError(f"a city has 1 to {MOST_PERSONS} persons, not {persons}")
    if not 0 <= seed < 2**31:
        raise InvalidInputError(f"a seed is a number from 0 to {2**31 - 1}, not {seed}")
    out.mkdir(parents=True, exist_ok=True)
    files = {source: out / f"{source}.parquet" for source in habits} | {"truth": out / "truth.parquet"}
    with tempfile.TemporaryDirectory(dir=out, prefix=".piles-") as folder:
        piles = _Piles(Path(folder), tuple(habits), -(-persons // PERSONS_A_PILE))
        households, expected = _fill_piles(piles, habits, persons=persons, seed=seed, progress=progress)
        piles.close()
        total = sum(expected.values())
        records: dict[str, int] = {}
        with pq.ParquetWriter(files["truth"], TRUTH_SCHEMA, compression="zstd", compression_level=1) as truth:
            for at, source in enumerate(habits):
                before = sum(records.values())

                def tell(done: int, before: int = before) -> None:
                    if progress:
                        progress("files", before + done, total)

                shuffled = piles.shuffled(np.random.default_rng([seed, 1 << 30, at]), source)
                records[source] = _write_source(out, source, shuffled, seed=seed, truth=truth, tell=tell)
    return CitySummary(persons, households, records, files)
