"""Unseen records as messages, how the echo is called and metrics are read: all that a load generator needs, and quick
to load."""

import urllib.request
from pathlib import Path

import pyarrow.parquet as pq

from mpi.identity.v1 import record_pb2

MESSAGE = "message"
"""Column of serialised SourceRecords."""

ECHO = "/mpi.benchmarks.Echo/Echo"


def messages_of(path: Path, first: int, count: int) -> list[record_pb2.SourceRecord]:
    """Some of the unseen records, from one place on."""
    column = pq.read_table(path)[MESSAGE].slice(first, count)
    return [record_pb2.SourceRecord.FromString(each) for each in column.to_pylist()]


def metrics_text(url: str) -> str:
    """What a server tells Prometheus."""
    with urllib.request.urlopen(url) as reply:
        text: str = reply.read().decode()
    return text
