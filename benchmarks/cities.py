"""Made-up cities for benchmarks, as raw files and as standard records with their true persons; made once and kept.

A folder's name carries the size, the seed, the habits and a digest of the code that made it: stale ones are not used.
"""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

import mpi
from benchmarks.places import WORK
from benchmarks.scenario import log
from mpi.batch.pairs import threads_available
from mpi.domain.model import FieldRule, LinkageModel
from mpi.standardise.record import standardise_table
from mpi.synthetic.city import generate_city
from mpi.synthetic.habits import HABITS

PERSON = "person_id"
SOURCE = "source"
RECORD = "source_record_id"
TRUTH = (SOURCE, RECORD, PERSON)
BATCH = 65_536


@dataclass(frozen=True, slots=True)
class City:
    """A city on disk: one Parquet file a source in the canonical columns, and truth.parquet."""

    folder: Path
    persons: int
    seed: int
    habits: str

    @property
    def sources(self) -> dict[str, Path]:
        """Files by source."""
        return {source: self.folder / f"{source}.parquet" for source in HABITS[self.habits]}

    @property
    def records(self) -> int:
        """Records in all sources."""
        return sum(pq.read_metadata(path).num_rows for path in self.sources.values())

    @property
    def entry(self) -> dict[str, object]:
        """How a result names it."""
        return {"persons": self.persons, "records": self.records, "seed": self.seed, "habits": self.habits}


def code_digest(*packages: str, also: str = "") -> str:
    """Digest of the sources of packages below mpi: what they make may have changed when it has."""
    digest = hashlib.sha256(also.encode())
    root = Path(mpi.__file__).parent
    for package in packages:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in (".py", ".csv"):
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:8]


def city(persons: int, *, seed: int, habits: str = "default") -> City:
    """A city, made when it is not there."""
    folder = WORK / "cities" / f"{habits}-{persons}-{seed}-{code_digest('synthetic', 'data')}"
    if not (folder / "truth.parquet").exists():
        log.info("making a city of %s people (%s habits, seed %s)", f"{persons:,}", habits, seed)
        for stale in folder.parent.glob(f"{habits}-{persons}-{seed}-*"):
            shutil.rmtree(stale)
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        generate_city(unfinished, persons=persons, seed=seed, habits=HABITS[habits])
        unfinished.rename(folder)
    return City(folder, persons, seed, habits)


def _standardised(batch: pa.Table, fields: Sequence[FieldRule]) -> pa.Table:
    return standardise_table(batch, fields)


def _raw_batches(made: City) -> Iterator[pa.Table]:
    for path in made.sources.values():
        for batch in pq.ParquetFile(path).iter_batches(BATCH):
            yield pa.Table.from_batches([batch])


def standard_records(made: City, model: LinkageModel, *, limit: int | None = None) -> Path:
    """A Parquet file of the city's standard records, source by source, and beside them TRUTH's columns; made when it is
    not there. `limit` takes the first records in an order that says nothing (that of a hash of their ids)."""
    fields = repr([(rule.prefix, rule.standardiser, dict(rule.inputs), dict(rule.widths)) for rule in model.fields])
    path = made.folder / f"standard-{limit or 'all'}-{code_digest('standardise', 'data', also=fields)}.parquet"
    if path.exists():
        return path
    for stale in made.folder.glob(f"standard-{limit or 'all'}-*"):
        stale.unlink()
    log.info("standardising %s records", f"{made.records:,}")
    truth = pq.read_table(made.folder / "truth.parquet")
    unfinished, at, chosen = path.with_suffix(".part"), 0, _chosen(truth[RECORD], limit)
    context = get_context("spawn")
    with ProcessPoolExecutor(threads_available(), mp_context=context) as pool:
        writer: pq.ParquetWriter | None = None
        for group in _groups(_raw_batches(made), 4 * threads_available()):
            waiting = []
            for raw in group:
                part = truth.slice(at, raw.num_rows)
                if not part[RECORD].combine_chunks().equals(raw[RECORD].combine_chunks()):
                    raise RuntimeError("the truth's rows are not those of the sources")
                mask = pa.array(chosen[at : at + raw.num_rows])
                at += raw.num_rows
                raw, part = raw.filter(mask), part.filter(mask)
                waiting.append((part, pool.submit(_standardised, raw, model.fields)))
            for part, future in waiting:
                table = future.result()
                for name in TRUTH:
                    table = table.append_column(f"truth_{name}", part[name])
                writer = writer or pq.ParquetWriter(unfinished, table.schema, compression="zstd", compression_level=1)
                writer.write_table(table)
        if writer is not None:
            writer.close()
    unfinished.rename(path)
    return path


def _chosen(ids: pa.ChunkedArray, limit: int | None) -> NDArray[np.bool_]:
    """Which records a limit takes: those with the smallest digests of their ids."""
    chosen = np.ones(len(ids), dtype=np.bool_)
    if limit is not None and limit < len(ids):
        digests = [hashlib.blake2b(each.encode(), digest_size=8).digest() for each in ids.to_pylist()]
        order = np.argsort(np.frombuffer(b"".join(digests), dtype=">u8"), kind="stable")
        chosen[order[limit:]] = False
    return chosen


def _groups(batches: Iterator[pa.Table], size: int) -> Iterator[list[pa.Table]]:
    group: list[pa.Table] = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def person_labels(path: Path) -> NDArray[np.int64]:
    """The true person of every standard record as a number, int64 (n,)."""
    column = pq.read_table(path, columns=[f"truth_{PERSON}"])[f"truth_{PERSON}"]
    encoded = pc.dictionary_encode(column.combine_chunks())
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def standard_batches(path: Path, columns: Sequence[str], size: int = 262_144) -> Iterator[pa.Table]:
    """Standard records of some columns, a batch at a time."""
    for batch in pq.ParquetFile(path).iter_batches(size, columns=list(columns)):
        yield pa.Table.from_batches([batch])
