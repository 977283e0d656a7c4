"""The stored keys of a registry: of which rules they are, and how a run renews or adds to them."""

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.errors import RulesNotReadyError
from mpi.domain.model import BlockingRule
from mpi.matching.stored_keys import stored_keys
from mpi.registry import tables
from mpi.registry.registry import Registry
from mpi.services import index_keys
from mpi.services.index_keys import check_keys, keys_name
from tests.factories import small_scorer, with_blocking
from tests.online.desk import Desk, came
from tests.services.linking import link_rows, query, record_id, row, strangers


def _candidates(registry: Registry, **values: str) -> set[int]:
    """The records that are found near a record's keys."""
    desk = Desk(registry)
    rows = desk.rules.feature_rows([came("q:1", **values)])
    keys = stored_keys(desk.rules.plan, rows, registry.secret)
    wanted = keys[keys != 0].view(np.int64)
    with registry.snapshot() as uow:
        found, _ = desk.rules.keys.near(uow, wanted)
    owners = np.repeat(np.arange(len(wanted)), np.diff(found.starts))
    return set(found.entries[found.entries[:, 0] >> 24 == wanted[owners] >> 24, 1].tolist())


def test_an_empty_registry_takes_the_rules_that_come_first(registry: Registry) -> None:
    check_keys(registry, small_scorer())
    check_keys(registry, small_scorer())
    with pytest.raises(RulesNotReadyError, match=r"small@1\.0\.0"):
        check_keys(registry, with_blocking(BlockingRule("name", ("name",))))


def test_the_name_is_that_of_the_blocking_and_not_of_the_weights() -> None:
    name = with_blocking(BlockingRule("one", ("name",), refine=("year",)))
    same = with_blocking(BlockingRule("another word", ("name",), refine=("year",), limit=7))
    assert keys_name(name) == keys_name(same)
    for other in (BlockingRule("one", ("name",)), BlockingRule("one", ("birth",), refine=("year",))):
        assert keys_name(name) != keys_name(with_blocking(other))


def test_a_run_writes_pages_and_few_new_records_come_as_rows(registry: Registry, tmp_path: Path) -> None:
    def count(table: sa.Table) -> int:
        [(rows,)] = query(registry, sa.select(sa.func.count()).select_from(table))
        return int(rows)

    link_rows(registry, tmp_path / "first", x=strangers(), a=[row("1", name="an", number="71")])
    assert count(tables.blocking_key_page) > 3
    assert count(tables.recent_blocking_keys) == 0
    pages = query(registry, sa.select(tables.blocking_key_page))
    link_rows(registry, tmp_path / "second", a=[row("2", name="an", birth="1980-01-01")])
    assert query(registry, sa.select(tables.blocking_key_page)) == pages
    assert count(tables.recent_blocking_keys) == 1
    assert _candidates(registry, name="an") == {record_id(registry, "a:1"), record_id(registry, "a:2")}
    # many new ones: all is written anew
    link_rows(registry, tmp_path / "third", y=[row(f"Y{n}", name=f"more {n}") for n in range(20)])
    assert count(tables.recent_blocking_keys) == 0
    assert _candidates(registry, name="an", number="71") == {record_id(registry, "a:1"), record_id(registry, "a:2")}


def test_parts_give_the_pages_of_one(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of a registry too large for one part are sorted part by part, in the databases' order of signed numbers."""
    link_rows(registry, tmp_path / "known", x=strangers())
    whole = {entry for _, page in query(registry, sa.select(tables.blocking_key_page)) for entry in _split(page)}
    monkeypatch.setattr(index_keys, "RECORDS_A_PART", 30)
    link_rows(registry, tmp_path / "more", y=[row(f"Y{n}", name=f"more {n}") for n in range(20)])
    pages = query(registry, sa.select(tables.blocking_key_page).order_by(tables.blocking_key_page.c.first_key))
    entries = [entry for _, page in pages for entry in _split(page)]
    assert entries == sorted(entries)
    assert set(entries) > whole
    assert len(entries) == len(whole) + 20
    assert _candidates(registry, name="more 3") == {record_id(registry, "y:Y3")}


def _split(page: bytes) -> list[tuple[int, int]]:
    return [(int(key), int(record)) for key, record in np.frombuffer(page, dtype="<i8").reshape(-1, 2)]
