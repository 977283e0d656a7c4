"""A city in two parts: records that a registry is made of, and records that nobody has seen yet, as messages.

Which part a record is in follows from a digest of its key, so that whole people are unseen too: those with no other.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.cities import RECORD, City
from benchmarks.online.messages import MESSAGE
from benchmarks.scenario import log
from mpi.identity.v1 import record_pb2

UNSEEN = "unseen.parquet"


@dataclass(frozen=True, slots=True)
class Split:
    """Files by source of what the registry holds, and a file of serialised SourceRecords, in an order by chance."""

    sources: dict[str, Path]
    unseen: Path

    @property
    def unseen_records(self) -> int:
        """How many records nobody has seen."""
        return int(pq.read_metadata(self.unseen).num_rows)


def split(made: City, share: float) -> Split:
    """Keep about `share` of a city's records back; made when it is not there."""
    folder = made.folder / f"without-{share:g}"
    parts = Split({source: folder / path.name for source, path in made.sources.items()}, folder / UNSEEN)
    if parts.unseen.exists():
        return parts
    log.info("keeping %.0f%% of %s records back", 100 * share, f"{made.records:,}")
    folder.mkdir(exist_ok=True)
    messages: list[bytes] = []
    places: list[NDArray[np.float64]] = []
    for source, path in made.sources.items():
        table = pq.read_table(path)
        place = _places(source, table[RECORD].to_pylist())
        back = place < share
        pq.write_table(table.filter(pa.array(~back)), parts.sources[source], compression="zstd", compression_level=1)
        messages += [_message(source, row) for row in table.filter(pa.array(back)).to_pylist()]
        places.append(place[back])
    order = np.argsort(np.concatenate(places), kind="stable")
    column = pa.array(messages, pa.binary()).take(pa.array(order))
    unfinished = parts.unseen.with_suffix(".part")
    pq.write_table(pa.table({MESSAGE: column}), unfinished)
    unfinished.rename(parts.unseen)
    return parts


def _places(source: str, ids: list[str]) -> NDArray[np.float64]:
    """A number in [0, 1) for each record of a source that says nothing about it."""
    digests = [hashlib.blake2b(f"{source}\x1f{each}".encode(), digest_size=8).digest() for each in ids]
    return np.frombuffer(b"".join(digests), dtype="<u8") / 2.0**64


def _message(source: str, row: dict[str, str | None]) -> bytes:
    message = record_pb2.SourceRecord()
    message.key.source_system = source
    for name, value in row.items():
        if value:
            setattr(message.key if name == RECORD else message, name, value)
    return message.SerializeToString()
