"""Why records lie where they do, and who was merged into whom."""

import numpy as np

from mpi.registry import persons
from mpi.registry.provenance import link_reasons, merged_into
from mpi.registry.registry import Registry
from tests.registry.rows import store_persons, store_records


def test_the_open_link_of_a_record_with_its_evidence(registry: Registry) -> None:
    with registry.begin() as uow:
        records = store_records(uow, ["a", "b", "c"])
        (number,) = store_persons(uow, [records[:2].tolist()]).tolist()
    with registry.snapshot() as uow:
        reasons = link_reasons(uow, records)
    began, joined = (reasons[record] for record in records[:2].tolist())
    assert list(reasons) == records[:2].tolist()
    assert (began.person_id, began.via_record_id, began.match_weight, began.level_codes) == (number, None, None, None)
    assert (joined.via_record_id, joined.match_weight) == (records[0], 12.5)
    assert joined.level_codes is not None
    assert joined.level_codes.tolist() == [2, -1, 0]
    assert (joined.made_by, joined.rule_version, joined.since_revision, joined.run_id) == (
        "rules",
        "vn_person@1.0.0",
        1,
        None,
    )


def test_everybody_who_was_merged_into_a_person(registry: Registry) -> None:
    with registry.begin() as uow:
        records = store_records(uow, ["a", "b", "c", "d"])
        first, second, third, other = store_persons(uow, [[int(record)] for record in records]).tolist()
        for loser, survivor in ((third, second), (second, first)):
            persons.supersede_persons(
                uow, np.array([loser]), survivors=np.array([survivor]), revisions=np.array([5], dtype=np.int64)
            )
    with registry.snapshot() as uow:
        assert [each.person_id for each in merged_into(uow, first)] == [second, third]
        assert [each.person_id for each in merged_into(uow, second)] == [third]
        assert merged_into(uow, other) == []
