"""The shapes that blocking keys may be kept in: all give the same entries, and each is measured and shown."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from benchmarks import cities, key_shapes
from benchmarks.key_tables import Keys, PostgresGin, Shape
from mpi.matching.stored_keys import PAGE_ENTRIES
from tests.postgres import PostgresServer

_UNSEEN = 96


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """The keys of a small city, some records kept back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cities, "WORK", tmp_path_factory.mktemp("work"))
        patch.setattr(key_shapes, "UNSEEN", _UNSEEN)
        patch.setattr(key_shapes, "WARM_UP", 16)
        yield key_shapes.keys_of_city(700)


@pytest.fixture
def shapes(postgres: PostgresServer, tmp_path: Path) -> Iterator[dict[type[Shape], Shape]]:
    """An empty shape of every kind."""
    with ExitStack() as stack:
        found: dict[type[Shape], Shape] = {}
        for kind in key_shapes.SQLITE_SHAPES:
            found[kind] = stack.enter_context(closing(kind(tmp_path)))
        for other in key_shapes.POSTGRES_SHAPES:
            stack.callback(postgres.drop_database, other.__name__)
            url = postgres.create_database(other.__name__)
            found[other] = stack.enter_context(closing(other(url)))
        yield found


def _read(shape: Shape, keys: Keys) -> list[int]:
    return [shape.look_up(each) for each in keys.unseen]


def test_every_shape_gives_the_same_entries(shapes: dict[type[Shape], Shape], keys: Keys) -> None:
    for shape in shapes.values():
        shape.load(keys)
        assert shape.stored_bytes() > 0
    empty = {kind: _read(shape, keys) for kind, shape in shapes.items()}
    added = list(enumerate(keys.unseen, start=keys.records + _UNSEEN))
    for shape in shapes.values():
        shape.add(added[:50])
        shape.look_up(keys.unseen[0])
        shape.add(added[50:])
    full = {kind: _read(shape, keys) for kind, shape in shapes.items()}
    rows, pages, recent = key_shapes.SQLITE_SHAPES
    postgres_rows, gin, postgres_pages, postgres_recent = key_shapes.POSTGRES_SHAPES
    for found in (empty, full):
        assert found[rows] == found[postgres_rows]
        assert found[pages] == found[postgres_pages] == found[recent] == found[postgres_recent]
        assert all(a <= b for a, b in zip(found[gin], found[rows], strict=True))
    more = {kind: [b - a for a, b in zip(empty[kind], full[kind], strict=True)] for kind in shapes}
    # A record finds itself under each of its keys, and whoever else was added under them.
    assert all(grown >= len(own) for grown, own in zip(more[recent], keys.unseen, strict=True))
    assert all(grown >= 1 for grown in more[gin])
    assert max(empty[pages]) <= PAGE_ENTRIES * max(map(len, keys.unseen))


def test_every_figure_is_measured_and_shown(
    postgres: PostgresServer, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_shapes, "WARM_UP", 16)
    url = postgres.create_database("measured")
    with closing(PostgresGin(url)) as shape:
        figures = key_shapes.measure(shape, keys)
    postgres.drop_database("measured")
    spreads = {name: each for name, each in figures.items() if name.startswith("look_up")}
    assert len(spreads) == 3
    for each in spreads.values():
        assert 0 < each["p50"] <= each["p99"]
    assert figures["bytes_a_key"] == figures["bytes"] / len(keys.keys)
    assert figures["add_a_record_us"] > 0
    result = {"shapes": [figures], "keys": len(keys.keys), "records": keys.records, "seconds_to_sort": 0.1}
    shown = key_shapes.section(result)
    assert [len(row) for row in shown.rows] == [len(shown.columns)]
