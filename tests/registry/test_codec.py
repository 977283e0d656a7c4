"""The codec gives back what went in, and its column path writes the same bytes as its row path."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from mpi.registry.codec import PersonalDataCodec

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
codec = PersonalDataCodec()


@given(st.dictionaries(texts, texts, max_size=5))
def test_values_come_back(values: dict[str, str]) -> None:
    assert codec.decode(codec.encode(values)) == values


@given(st.lists(st.tuples(*[st.none() | texts] * 3), max_size=6))
def test_columns_and_rows_are_encoded_alike(rows: list[tuple[str | None, ...]]) -> None:
    names = ("sex", "full_name", "địa chỉ")
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    expected = [
        codec.encode({name: value for name, value in zip(names, row, strict=True) if value is not None}) for row in rows
    ]
    assert codec.encode_columns(columns) == expected


def test_stored_text_is_json_with_sorted_keys_and_no_nul() -> None:
    stored = codec.encode({"b": "a\x00b", "a": "Huế"})
    assert stored.startswith('{"a":"Huế","b":')
    assert "\x00" not in stored
    assert json.loads(stored) == {"a": "Huế", "b": "a\x00b"}


@settings(deadline=None)  # the first call loads Arrow's reader
@given(st.lists(st.dictionaries(st.sampled_from(["sex", "full_name", "địa chỉ", "other"]), texts), max_size=6))
def test_some_columns_of_many_texts_are_decoded_at_once(rows: list[dict[str, str]]) -> None:
    names = ["full_name", "địa chỉ", "sex"]
    found = codec.decode_columns([codec.encode(row) for row in rows], names)
    assert found.column_names == names
    assert found.to_pylist() == [{name: row.get(name) for name in names} for row in rows]
    assert codec.decode_columns([codec.encode(row) for row in rows], []).num_columns == 0
