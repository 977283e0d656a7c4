"""Records are told apart, stored, superseded and read back, the same on both databases."""

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.errors import InvalidInputError, NotFoundError, RegistryError
from mpi.domain.records import RecordKey
from mpi.registry import source_records as records
from mpi.registry.known_records import Standing
from mpi.registry.registry import Registry
from mpi.registry.tables import source_record, source_record_version
from tests.registry.rows import LAYOUT, WIDTH, record_rows, store_records

NAMES = [f"id-{number}" for number in range(50)]


def test_known_records_tell_new_unchanged_and_changed(registry: Registry) -> None:
    with registry.begin() as uow:
        ids = store_records(uow, NAMES)
    with registry.begin() as uow:
        known = records.known_records(uow)
        wanted = [*NAMES[:3], "id-new"]
        same = record_rows(uow, wanted, record_ids=np.zeros(4, dtype=np.int64))
        moved = record_rows(uow, wanted, record_ids=np.zeros(4, dtype=np.int64), city="Đà Nẵng")
        other = record_rows(uow, wanted, record_ids=np.zeros(4, dtype=np.int64), source="hospital")
    assert len(known) == len(NAMES)
    first = known.classify(same.key_hashes, same.digests)
    assert first.standing.tolist() == [Standing.UNCHANGED] * 3 + [Standing.NEW]
    assert first.record_ids.tolist() == [*ids[:3].tolist(), -1]
    second = known.classify(moved.key_hashes, moved.digests)
    assert second.standing.tolist() == [Standing.CHANGED] * 3 + [Standing.NEW]
    assert second.record_ids.tolist() == [*ids[:3].tolist(), -1]
    assert known.classify(other.key_hashes, other.digests).standing.tolist() == [Standing.NEW] * 4


def test_a_new_version_keeps_the_old_one_and_both_stay_known(registry: Registry) -> None:
    with registry.begin() as uow:
        ids = store_records(uow, NAMES)
    changed = np.array([4, 9, 30])
    with registry.begin() as uow:
        batch = record_rows(uow, [NAMES[at] for at in changed], record_ids=ids[changed], city="Đà Nẵng")
        records.supersede_batch(uow, batch, run_id=None)
    with registry.snapshot() as uow:
        raw = dict(records.raw_records(uow, ids))
        versions = dict(uow.connection.execute(sa.select(source_record.c.record_id, source_record.c.version)).all())
        kept = uow.connection.execute(sa.select(source_record_version).order_by("record_id")).all()
        known = records.known_records(uow)
        assert records.count(uow) == len(NAMES)
    for at, record_id in enumerate(ids.tolist()):
        assert raw[record_id].key == RecordKey("station", NAMES[at])
        assert raw[record_id].values["address"] == ("Đà Nẵng" if at in changed else "Huế")
        assert versions[record_id] == (2 if at in changed else 1)
    assert [(row.record_id, row.version) for row in kept] == [(int(ids[at]), 1) for at in changed]
    assert all("Huế" in row.raw and "Đà Nẵng" not in row.raw for row in kept)
    assert len(known) == len(NAMES) + 3
    # The old content again, and the new one again, are both nothing new.
    with registry.begin() as uow:
        before = record_rows(uow, [NAMES[at] for at in changed], record_ids=ids[changed])
    for again in (before, batch):
        assert (known.classify(again.key_hashes, again.digests).standing == Standing.UNCHANGED).all()


def test_late_versions_lie_below_the_current_one_and_are_taken_back(registry: Registry) -> None:
    def versions() -> tuple[list[tuple[int, int, int | None]], list[str]]:
        with registry.snapshot() as uow:
            old = source_record_version.c
            kept = uow.connection.execute(sa.select(old.record_id, old.version, old.run_id).order_by(*old[:2])).all()
            current = [record.values["address"] for _, record in records.raw_records(uow, ids)]
            assert records.current_versions(uow, ids[::-1]).versions.tolist() == [
                1 + sum(row.record_id == record_id for row in kept) for record_id in ids[::-1].tolist()
            ]
        return [tuple(row) for row in kept], current

    with registry.begin() as uow:
        ids = store_records(uow, NAMES[:3])
    first, second, _ = ids.tolist()
    towns = ("Vinh", "Huế cũ", "Đà Nẵng", "Hội An")
    with registry.begin() as uow:
        batches = [record_rows(uow, NAMES[:2], record_ids=ids[:2], city=town) for town in towns]
        records.archive_batch(uow, batches[0], run_id=7)
    assert versions() == ([(first, 1, 7), (second, 1, 7)], ["Huế"] * 3)
    with registry.begin() as uow:
        records.supersede_batch(uow, batches[1], run_id=8)
        records.archive_batch(uow, batches[2], run_id=8)
        records.archive_batch(uow, batches[3].take(np.array([1])), run_id=8)
        assert len(records.known_records(uow)) == 3 + 2 + 2 + 3
    assert versions()[1] == ["Huế cũ", "Huế cũ", "Huế"]
    assert [row[1:] for row in versions()[0]] == [(1, 7), (2, None), (3, 8), (1, 7), (2, None), (3, 8), (4, 8)]
    with registry.begin() as uow:
        assert records.take_back(uow, 8) == 5
    assert versions() == ([(first, 1, 7), (second, 1, 7)], ["Huế"] * 3)
    with registry.begin() as uow:
        assert records.take_back(uow, 7) == 2
    assert versions() == ([], ["Huế"] * 3)


def test_feature_rows_stream_by_layout(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_IDS_A_READ", 7)
    with registry.begin() as uow:
        assert list(records.feature_rows(uow, LAYOUT)) == []
        ids = store_records(uow, NAMES)
        expected = record_rows(uow, NAMES, record_ids=ids).features
        renewed = np.full((2, WIDTH + 8), 200, dtype=np.uint8)
        records.update_features(uow, ids[10:12], layout="layout-2", features=renewed)
    with registry.snapshot() as uow:
        parts = list(records.feature_rows(uow, LAYOUT))
        assert np.concatenate([part for part, _ in parts]).tolist() == np.delete(ids, [10, 11]).tolist()
        assert np.array_equal(np.concatenate([rows for _, rows in parts]), np.delete(expected, [10, 11], axis=0))
        ((new_ids, new_rows),) = records.feature_rows(uow, "layout-2")
        assert new_ids.tolist() == ids[10:12].tolist()
        assert np.array_equal(new_rows, renewed)
        assert records.records_with_other_layout(uow, LAYOUT).tolist() == ids[10:12].tolist()
        assert len(records.records_with_other_layout(uow, "layout-3")) == len(ids)


def test_raw_columns_are_the_raw_records(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_IDS_A_READ", 7)
    with registry.begin() as uow:
        first = store_records(uow, NAMES[:20])
        ids = np.concatenate([store_records(uow, NAMES[:5], source="hospital"), first])
    with registry.snapshot() as uow:
        raw = [record for _, record in records.raw_records(uow, ids)]
        found = records.raw_columns(uow, ids, ["address", "nothing"])
        none = records.raw_columns(uow, ids[:0], ["address"])
    assert found.systems.to_pylist() == [record.key.source_system for record in raw]
    assert found.source_record_ids.to_pylist() == [record.key.source_record_id for record in raw]
    assert found.recorded_ats.to_pylist() == [record.recorded_at for record in raw]
    assert found.values["address"].to_pylist() == [record.values["address"] for record in raw]
    assert found.values["nothing"].null_count == len(ids)
    assert (len(none.systems), none.values.num_rows, none.values.column_names) == (0, 0, ["address"])


def test_records_are_found_by_key(registry: Registry) -> None:
    with registry.begin() as uow:
        ids = store_records(uow, NAMES[:2])
        store_records(uow, NAMES[:2], source="hospital")
    with registry.snapshot() as uow:
        assert records.find(uow, RecordKey("station", NAMES[1])) == ids[1]
        assert records.find(uow, RecordKey("hospital", NAMES[1])) != ids[1]
        assert records.keys_of(uow, ids[:1]) == {int(ids[0]): RecordKey("station", NAMES[0])}
        for key in (RecordKey("station", "nobody"), RecordKey("nowhere", NAMES[0])):
            with pytest.raises(NotFoundError, match="no record"):
                records.find(uow, key)


def test_one_key_is_stored_once(registry: Registry) -> None:
    with registry.begin() as uow:
        store_records(uow, NAMES[:2])
    with pytest.raises(RegistryError, match="refused") as refused, registry.begin() as uow:
        store_records(uow, NAMES[1:3])
    assert NAMES[1] not in str(refused.value)
    with registry.snapshot() as uow:
        assert records.count(uow) == 2


def test_a_version_for_another_key_is_refused_and_nothing_written(registry: Registry) -> None:
    with registry.begin() as uow:
        ids = store_records(uow, NAMES[:2])
    with registry.begin() as uow:
        wrong = record_rows(uow, [NAMES[0], "id-collides"], record_ids=ids, city="Vinh")
        twice = record_rows(uow, [NAMES[0], NAMES[0]], record_ids=ids[[0, 0]], city="Vinh")
    with pytest.raises(RegistryError, match="1 records are not stored under the keys"), registry.begin() as uow:
        records.supersede_batch(uow, wrong, run_id=None)
    with pytest.raises(RegistryError, match="1 records are not stored under the keys"), registry.begin() as uow:
        records.archive_batch(uow, wrong, run_id=None)
    for write in (records.supersede_batch, records.archive_batch):
        with pytest.raises(InvalidInputError, match="twice"), registry.begin() as uow:
            write(uow, twice, run_id=None)
    with pytest.raises(RegistryError, match="1 records are not stored"), registry.snapshot() as uow:
        records.current_versions(uow, np.append(ids, ids.max() + 1))
    with registry.snapshot() as uow:
        assert {record.values["address"] for _, record in records.raw_records(uow, ids)} == {"Huế"}
        assert uow.connection.execute(sa.select(source_record_version)).all() == []


def test_an_id_with_nul_is_refused(registry: Registry) -> None:
    with pytest.raises(InvalidInputError, match="NUL"), registry.begin() as uow:
        store_records(uow, ["a\x00b"])
