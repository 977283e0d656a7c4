"""Explaining a stored pair: the weight a run would give, what is void, what forbids, and what was decided."""

from dataclasses import replace

import numpy as np
import pytest

from mpi.domain.errors import (
    InvalidInputError,
    NotFoundError,
    NotYetVisibleError,
    UnknownRecordError,
    UnknownSourceSystemError,
    UntrainedLevelError,
)
from mpi.domain.model import FrequencyCap
from mpi.domain.records import RecordKey, SourceRecord
from mpi.matching.features import columns_of, representation_of
from mpi.matching.sharing import apply_caps
from mpi.registry import blocking_keys
from mpi.registry.registry import Registry
from mpi.services.explain import explain_online, explain_pair
from mpi.services.neighbourhood import OnlineRules
from mpi.standardise.record import standardise_record
from tests.services.stored import HUNG, LAN, MAI, MODEL, SCORER, record, store, store_unplaced

PHONE = "0987215346"
NEIGHBOURS = tuple(
    record("student", f"N{at}", full_name=f"Lê Văn {name}", birth_date=f"{2000 + at}-05-06", phone=PHONE)
    for at, name in enumerate(("Anh", "Bình", "Cường", "Dũng", "Giang"))
)
"""Five people on one phone."""

CAPPED = replace(MODEL, frequency_caps=(FrequencyCap("phone", ("name_dialect", "birth_year"), 4),))


def weight_in_a_run(registry: Registry, everyone: list[SourceRecord], left: SourceRecord, right: SourceRecord) -> float:
    """The weight of a pair as the batch path has it: all feature rows together, caps applied."""
    standard = [standardise_record(each, MODEL.fields) for each in everyone]
    rows = SCORER.pack(columns_of(standard, SCORER.columns), registry.secret)
    apply_caps(rows, CAPPED, SCORER.layout)
    ends = [np.array([everyone.index(each)], dtype=np.int32) for each in (left, right)]
    return float(SCORER.score(rows, *ends, prior=SCORER.prior(len(everyone))).weights[0])


def test_the_waterfall_adds_up_to_the_weight_that_a_run_gives(registry: Registry) -> None:
    (lan, *_) = store(registry, [LAN, HUNG, MAI])
    found = explain_pair(registry, MODEL, LAN[0].key, LAN[1].key)
    expected = weight_in_a_run(registry, [*LAN, *HUNG, *MAI], LAN[0], LAN[1])
    assert found.waterfall.weight == pytest.approx(expected, abs=1e-9)
    assert (found.records, found.waterfall.prior, found.capped) == (6, SCORER.prior(6), ())
    assert (found.rule_version, found.verdict, found.same_person) == (MODEL.name, "link", True)
    assert (found.left.values, found.left.recorded_at) == (LAN[0].values, "2025-01-10")
    assert found.right.standard["name_folded"] == "tran thi lan"
    assert found.right.enterprise_id == lan
    assert found.right.link is not None
    assert (found.right.link.via, found.right.link.match_weight) == (LAN[0].key, 12.5)


def test_a_value_that_too_many_share_counts_as_missing(registry: Registry) -> None:
    store(registry, [[each] for each in (*NEIGHBOURS, *LAN)])
    pair = NEIGHBOURS[0].key, NEIGHBOURS[1].key
    levels = {}
    for limit in (4, 5):
        model = replace(MODEL, frequency_caps=(replace(CAPPED.frequency_caps[0], limit=limit),))
        found = explain_pair(registry, model, *pair)
        levels[limit] = next(each.level for each in found.waterfall.contributions if each.comparison == "phone")
        assert found.capped == (("phone",) if limit == 4 else ())
        assert found.same_person is False
        if limit == 4:
            expected = weight_in_a_run(registry, [*NEIGHBOURS, *LAN], NEIGHBOURS[0], NEIGHBOURS[1])
            assert found.waterfall.weight == pytest.approx(expected, abs=1e-9)
    assert levels == {4: "missing", 5: "shared"}


def test_caps_are_said_to_be_unknown_where_they_cannot_be_known(registry: Registry) -> None:
    store(registry, [[each] for each in NEIGHBOURS])
    pair = NEIGHBOURS[0].key, NEIGHBOURS[1].key
    assert explain_pair(registry, CAPPED, *pair).capped == ("phone",)
    assert explain_pair(registry, CAPPED, *pair, look_for_caps=False).capped is None
    fields = tuple(
        replace(each, widths={**each.widths, "name_folded": 30}) if each.prefix == "name" else each
        for each in MODEL.fields
    )
    other_layout = replace(CAPPED, fields=fields)
    assert explain_pair(registry, other_layout, *pair).capped is None


def test_a_veto_that_holds_is_named_and_keeps_the_pair_apart(registry: Registry) -> None:
    one = record(
        "hospital", "A", full_name="Trần Thị Lan", birth_date="1984-03-19", sex="Nữ", citizen_id="079184000123"
    )
    two = record(
        "insurance", "B", full_name="Trần Thị Lan", birth_date="1984-03-19", sex="Nữ", citizen_id="079184561777"
    )
    store(registry, [[one], [two]])
    found = explain_pair(registry, MODEL, one.key, two.key)
    assert found.waterfall.vetoes
    effects = {veto.effect.value for veto in MODEL.vetoes if veto.name in found.waterfall.vetoes}
    assert found.verdict == ("apart" if effects & {"forbid", "apart"} else "review")


def test_records_of_nobody_are_not_one_person(registry: Registry) -> None:
    store_unplaced(registry, MAI)
    found = explain_pair(registry, MODEL, MAI[0].key, MAI[1].key)
    assert (found.left.enterprise_id, found.left.link, found.same_person) == (None, None, False)


def test_what_cannot_be_explained_is_refused(registry: Registry) -> None:
    store(registry, [LAN])
    with pytest.raises(NotFoundError, match="no record station:none in the registry"):
        explain_pair(registry, MODEL, LAN[0].key, RecordKey("station", "none"))
    with pytest.raises(InvalidInputError, match="hospital:H1 was named twice"):
        explain_pair(registry, MODEL, LAN[0].key, LAN[0].key)
    with pytest.raises(UntrainedLevelError):
        explain_pair(registry, replace(MODEL, parameters=None), LAN[0].key, LAN[1].key)


def test_a_call_sees_what_the_registry_has_noted_as_shared_too_widely(registry: Registry) -> None:
    store(registry, [[each] for each in (*NEIGHBOURS, *LAN)])
    rules = OnlineRules(SCORER, registry.secret)
    pair = NEIGHBOURS[0].key, NEIGHBOURS[1].key
    before = explain_online(registry, rules, *pair)
    assert before.capped == ()
    assert before.waterfall == explain_pair(registry, MODEL, *pair, look_for_caps=False).waterfall
    row = rules.feature_rows([NEIGHBOURS[0]])
    offset = rules.scorer.layout.offset("phone", representation_of(MODEL.columns["phone"])) // 8
    with registry.begin() as uow:
        blocking_keys.add_capped(uow, "phone", row.view(np.uint64)[0, offset : offset + 1])
    after = explain_online(registry, rules, *pair)
    assert after.capped == ("phone",)
    assert after.waterfall.weight < before.waterfall.weight
    assert after.revision > 0


def test_a_call_tells_unknown_systems_from_unknown_records(registry: Registry) -> None:
    store(registry, [LAN])
    rules = OnlineRules(SCORER, registry.secret)
    with pytest.raises(UnknownSourceSystemError):
        explain_online(registry, rules, LAN[0].key, RecordKey("nowhere", "1"))
    with pytest.raises(UnknownRecordError):
        explain_online(registry, rules, LAN[0].key, RecordKey("hospital", "none"))
    with pytest.raises(NotYetVisibleError):
        explain_online(registry, rules, LAN[0].key, LAN[1].key, at_least=10**6)
    with pytest.raises(InvalidInputError) as same:
        explain_online(registry, rules, LAN[0].key, LAN[0].key)
    assert str(LAN[0].key) not in str(same.value)
