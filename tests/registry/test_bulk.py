"""Bulk writers keep every kind of value exactly, on both databases."""

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.errors import InvalidInputError
from mpi.registry import bulk
from mpi.registry.bulk import Every
from mpi.registry.registry import Registry
from mpi.registry.tables import judgement, link, registry_setting

CODES = np.array([[0, 255, 10], [92, 9, 0]], dtype=np.uint8)


def _links() -> dict[str, bulk.Column]:
    return {
        "link_id": np.array([1, 2**62], dtype=np.int64),
        "record_id": np.array([10, -(2**63)], dtype=np.int64),
        "person_id": Every(3),
        "valid_from_revision": Every(1),
        "valid_to_revision": [None, 2],
        "made_by": ["rules", "steward"],
        "run_id": Every(None),
        "match_weight": bulk.optional(np.array([np.nan, -0.1])),
        "via_record_id": bulk.optional(np.array([7, -1])),
        "level_codes": CODES,
        "rule_version": Every("một\t\\N\n"),
    }


def test_every_kind_of_value_comes_back(registry: Registry) -> None:
    with registry.begin() as uow:
        assert bulk.insert(uow, link, _links()) == 2
    with registry.snapshot() as uow:
        rows = uow.connection.execute(sa.select(link).order_by(link.c.link_id)).all()
    text = "một\t\\N\n"
    assert [tuple(row) for row in rows] == [
        (1, 10, 3, 1, None, "rules", None, None, 7, b"\x00\xff\x0a", text),
        (2**62, -(2**63), 3, 1, 2, "steward", None, -0.1, None, b"\x5c\x09\x00", text),
    ]


def test_update_changes_the_rows_whose_keys_fit(registry: Registry) -> None:
    with registry.begin() as uow:
        bulk.insert(uow, registry_setting, {"key": ["a", "b", "c"], "value": Every("old")})
        for _ in range(2):  # Twice in one transaction: nothing of the first is in the way of the second.
            changed = bulk.update(
                uow, registry_setting, keys={"key": ["c", "a", "z"]}, values={"value": ["new c", "new a", "new z"]}
            )
            assert changed == 2
        pairs = bulk.update(
            uow,
            registry_setting,
            keys={"key": ["a", "b"], "value": ["new a", "other"]},
            values={"value": Every("newer")},
        )
        assert pairs == 1
        stored: dict[str, str] = dict(uow.connection.execute(sa.select(registry_setting)).all())
    assert {key: stored[key] for key in "abc"} == {"a": "newer", "b": "old", "c": "new c"}


def test_nothing_to_write_is_fine_and_uneven_columns_are_not(registry: Registry) -> None:
    with registry.begin() as uow:
        assert bulk.insert(uow, registry_setting, {"key": [], "value": Every("x")}) == 0
        assert bulk.update(uow, registry_setting, keys={"key": []}, values={"value": []}) == 0
        with pytest.raises(InvalidInputError, match="equally long"):
            bulk.insert(uow, registry_setting, {"key": ["a"], "value": ["x", "y"]})
        assert uow.connection.scalar(sa.select(sa.func.count()).select_from(judgement)) == 0


def test_bytes_keep_their_zeros() -> None:
    assert bulk.as_bytes(np.array([[1, 0], [0, 0]], dtype=np.uint8)) == [b"\x01\x00", b"\x00\x00"]
    assert bulk.as_bytes(np.empty((2, 0), dtype=np.uint8)) == [b"", b""]
