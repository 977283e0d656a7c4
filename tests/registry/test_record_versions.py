"""Which version was current when: as of any revision, with versions and events written apart."""

import numpy as np
import sqlalchemy as sa

from mpi.registry import source_records as records
from mpi.registry.record_versions import records_as_of, still_standing, tell_superseded
from mpi.registry.registry import Registry
from mpi.registry.tables import source_record_version
from tests.registry.rows import record_rows, store_records


def _towns(registry: Registry, ids: np.ndarray, revision: int) -> list[str]:
    with registry.snapshot() as uow:
        found = records_as_of(uow, ids, revision)
    return [found[record_id].values["address"] for record_id in ids.tolist()]


def _store(registry: Registry, ids: np.ndarray, local_id: str, town: str, *, late: bool = False) -> None:
    with registry.begin() as uow:
        batch = record_rows(uow, [local_id], record_ids=ids, city=town)
        write = records.archive_batch if late else records.supersede_batch
        write(uow, batch, run_id=None)


def test_each_revision_has_the_version_of_its_time(registry: Registry) -> None:
    with registry.begin() as uow:
        ids = store_records(uow, ["one", "two"])
    one = ids[:1]
    assert _towns(registry, ids, 0) == _towns(registry, ids, 9) == ["Huế", "Huế"]
    _store(registry, one, "one", "Vinh")
    with registry.snapshot() as uow:
        assert still_standing(uow, ids).tolist() == one.tolist()
    # stored, but no event has told of it
    assert _towns(registry, ids, 9) == ["Huế", "Huế"]
    with registry.begin() as uow:
        tell_superseded(uow, ids, revisions=np.array([5, 6]))
        assert still_standing(uow, ids).tolist() == []
    assert _towns(registry, ids, 4) == ["Huế", "Huế"]
    assert _towns(registry, ids, 5) == ["Vinh", "Huế"]
    # a late version never was current; of two that are told of at once the first was never seen
    _store(registry, one, "one", "Hội An", late=True)
    _store(registry, one, "one", "Pleiku")
    _store(registry, one, "one", "Đà Lạt")
    assert [_towns(registry, one, at) for at in (4, 5, 99)] == [["Huế"], ["Vinh"], ["Vinh"]]
    with registry.begin() as uow:
        tell_superseded(uow, one, revisions=np.array([8]))
    assert [_towns(registry, one, at) for at in (4, 7, 8, 99)] == [["Huế"], ["Vinh"], ["Đà Lạt"], ["Đà Lạt"]]
    with registry.snapshot() as uow:
        version = source_record_version.c
        told = uow.connection.execute(sa.select(version.version, version.superseded_revision).order_by(version.version))
        assert [tuple(row) for row in told] == [(1, 5), (2, None), (3, 8), (4, 8)]
        assert records_as_of(uow, ids + 100, 9) == {}


def test_of_many_records_those_with_news_are_told_of(registry: Registry) -> None:
    names = [f"id-{number}" for number in range(1_200)]
    with registry.begin() as uow:
        ids = store_records(uow, names)
    revisions = np.arange(1, 1_201)
    with registry.begin() as uow:
        tell_superseded(uow, ids, revisions=revisions)
    _store(registry, ids[700:701], names[700], "Vinh")
    with registry.begin() as uow:
        tell_superseded(uow, ids, revisions=revisions)
    assert _towns(registry, ids[[699, 700]], 701) == ["Huế", "Vinh"]
    assert _towns(registry, ids[[699, 700]], 700) == ["Huế", "Huế"]
