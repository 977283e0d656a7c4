"""Feature rows: stable under one key, unlike under another, the same from records and from tables, widths kept."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.batch.tables import columns_of_table
from mpi.domain.errors import RuleFileError
from mpi.domain.model import BlockingRule, FieldRule, Level, LinkageModel, Predicate, TermFrequencies
from mpi.domain.records import RecordKey, StandardRecord
from mpi.matching.features import (
    TextColumn,
    columns_of,
    frequency_table,
    hash_column,
    layout_of,
    pack_records,
    pack_rows,
    text_column,
)
from mpi.matching.levels import Representation
from mpi.matching.siphash import PUBLIC_KEY, hash_text
from tests.parity.models import COLUMNS, KEY, comparison_of, model_of, table_of

OTHER_KEY = b"another's secret"


def _model() -> LinkageModel:
    text = comparison_of(
        "text",
        Level("equal", Predicate("exact", ("text",)), tf_column="text"),
        Level("near", Predicate("syllable_edit", ("text",), 1.0)),
    )
    others = comparison_of(
        "others",
        Level("shared", Predicate("shared", ("members",))),
        Level("close", Predicate("difference", ("year",), 1.0)),
    )
    terms = TermFrequencies("text", {hash_text("an", PUBLIC_KEY): 0.25, hash_text("binh", PUBLIC_KEY): 0.125}, 0.001)
    return model_of(
        [text, others], term_frequencies={"text": terms}, blocking=[BlockingRule("other", ("other",), ("day",))]
    )


MODEL = _model()
LAYOUT = layout_of(MODEL)
FREQUENCIES = frequency_table(MODEL)


def test_the_layout_holds_every_slot_once_and_aligned() -> None:
    sizes = {"code": 8, "members": 32, "signature": 8, "integer": 4, "frequency": 4, "syllables": 32, "bytes": 65}
    spans = sorted((offset, offset + sizes[kind.value]) for (_, kind), offset in LAYOUT.offsets.items())
    assert all(stop <= start for (_, stop), (start, _) in pairwise(spans))
    assert spans[-1][1] <= LAYOUT.width
    assert LAYOUT.width % 8 == 0
    assert {column for column, _ in LAYOUT.offsets} == {"text", "other", "year", "day", "members"}
    assert LAYOUT.offset("text", Representation.BYTES) == LAYOUT.offsets["text", Representation.BYTES]


def test_the_digest_tells_layouts_apart() -> None:
    assert layout_of(_model()).digest == LAYOUT.digest
    narrow = replace(MODEL, fields=(FieldRule("text", "text", {}, {"text": 10}),))
    assert layout_of(narrow).digest != LAYOUT.digest
    terms = {"text": TermFrequencies("text", {}, 0.002)}
    assert layout_of(replace(MODEL, term_frequencies=terms)).digest != LAYOUT.digest


@pytest.mark.parametrize("width", [0, 65])
def test_a_width_out_of_bounds_is_refused(width: int) -> None:
    with pytest.raises(RuleFileError, match="text is compared by its characters and must declare a width of 1 to 64"):
        layout_of(replace(MODEL, fields=(FieldRule("text", "text", {}, {"text": width}),)))


def test_rows_are_the_same_for_one_key_and_not_for_another() -> None:
    columns = columns_of_table(table_of(200, seed=41), COLUMNS)
    rows = pack_rows(columns, LAYOUT, FREQUENCIES, KEY)
    assert np.array_equal(rows, pack_rows(columns, LAYOUT, FREQUENCIES, KEY))
    others = pack_rows(columns, LAYOUT, FREQUENCIES, OTHER_KEY)
    code = LAYOUT.offset("other", Representation.CODE) // 8
    codes, other_codes = rows.view(np.uint64)[:, code], others.view(np.uint64)[:, code]
    assert np.array_equal(codes == 0, other_codes == 0)
    assert not np.any((codes == other_codes) & (codes != 0))


def test_records_and_tables_give_the_same_rows() -> None:
    table = table_of(200, seed=42, marked=True)
    records = [
        StandardRecord(RecordKey("s", "1"), {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})
        for row in table.to_pylist()
    ]
    of_records = pack_rows(columns_of(records, COLUMNS), LAYOUT, FREQUENCIES, KEY)
    assert np.array_equal(of_records, pack_rows(columns_of_table(table, COLUMNS), LAYOUT, FREQUENCIES, KEY))


def _records() -> st.SearchStrategy[StandardRecord]:
    text = st.none() | st.sampled_from(["", "an", "binh", "an binh  chau"]) | st.text(max_size=80)
    number = st.none() | st.integers(-(2**31), 2**31 - 1)
    values = st.fixed_dictionaries(
        {"text": text, "members": st.none() | st.lists(st.text(min_size=1, max_size=20), max_size=6).map(tuple)},
        optional={"other": text, "year": number, "month": number, "day": number},
    )
    return values.map(lambda given: StandardRecord(RecordKey("s", "1"), given))


@given(st.lists(_records(), max_size=5))
def test_a_few_records_are_packed_as_their_columns_are(records: list[StandardRecord]) -> None:
    rows = pack_rows(columns_of(records, COLUMNS), LAYOUT, FREQUENCIES, KEY)
    assert np.array_equal(pack_records(records, LAYOUT, FREQUENCIES, KEY), rows)
    for record, row in zip(records, rows, strict=True):
        assert np.array_equal(pack_records([record], LAYOUT, FREQUENCIES, KEY)[0], row)


def test_rows_do_not_depend_on_the_block_that_they_are_packed_in() -> None:
    columns = columns_of_table(table_of(2_500, seed=43, marked=True), COLUMNS)
    rows = pack_rows(columns, LAYOUT, FREQUENCIES, KEY)
    frequency = LAYOUT.offset("text", Representation.FREQUENCY) // 4
    text = columns["text"]
    assert isinstance(text, TextColumn)
    assert np.array_equal(rows.view(np.uint32)[:, frequency], FREQUENCIES.indices("text", text))
    code = LAYOUT.offset("other", Representation.CODE) // 8
    other = columns["other"]
    assert isinstance(other, TextColumn)
    assert np.array_equal(rows.view(np.uint64)[:, code], hash_column(other, KEY))


def test_a_column_of_another_kind_is_refused() -> None:
    columns = columns_of_table(table_of(10, seed=1), COLUMNS)
    with pytest.raises(TypeError, match="not all IntegerColumn: year"):
        pack_rows({**columns, "year": columns["text"]}, LAYOUT, FREQUENCIES, KEY)


def test_long_texts_are_cut_and_long_names_keep_their_last_syllable() -> None:
    record = StandardRecord(RecordKey("s", "1"), {"text": " ".join(f"s{k:02d}" for k in range(30))})
    row = pack_rows(columns_of([record], COLUMNS), LAYOUT, FREQUENCIES, KEY)[0]
    offset = LAYOUT.offset("text", Representation.BYTES)
    assert row[offset] == 64
    assert bytes(row[offset + 1 : offset + 12]) == b"s00 s01 s02"
    syllables = row.view(np.uint32)[LAYOUT.offset("text", Representation.SYLLABLES) // 4 :][:8]
    assert syllables[0] == 7
    assert syllables[7] == hash_text("s29", KEY) & 0xFFFFFFFF
    assert syllables[6] == hash_text("s05", KEY) & 0xFFFFFFFF


def test_frequencies_know_missing_unseen_and_frequent_values() -> None:
    found = FREQUENCIES.indices("text", text_column(["an", "binh", "unheard", None, ""]))
    assert FREQUENCIES.log2[found[:3]].tolist() == pytest.approx([-2.0, -3.0, np.log2(0.001)])
    assert found[3:].tolist() == [0, 0]


def test_columns_of_different_lengths_are_refused() -> None:
    columns = columns_of_table(table_of(10, seed=1), COLUMNS) | columns_of_table(
        table_of(9, seed=1), {"text": COLUMNS["text"]}
    )
    with pytest.raises(ValueError, match="different lengths"):
        pack_rows(columns, LAYOUT, FREQUENCIES, KEY)
