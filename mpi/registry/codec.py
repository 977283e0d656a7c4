"""The one place where raw personal values become stored text and back: encryption is this class and no migration.

Raw values are a JSON object of strings by column, keys sorted, missing columns absent.
"""

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.json as pj

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class PersonalDataCodec:
    """Plain JSON. A codec that encrypts has these four methods."""

    def encode(self, values: Mapping[str, str]) -> str:
        """The stored text of one record's raw values."""
        return _encode(values)

    def encode_columns(self, columns: Mapping[str, Sequence[str | None]]) -> list[str]:
        """The stored texts of many records given by column: `encode` of each record without its missing values."""
        names = sorted(columns)
        quoted = []
        for name in names:
            prefix = f"{_encode(name)}:"
            quoted.append([None if value is None else prefix + _encode(value) for value in columns[name]])
        if not quoted:
            return []
        return ["{" + ",".join(filter(None, row)) + "}" for row in zip(*quoted, strict=True)]

    def decode(self, stored: str) -> dict[str, str]:
        """The raw values of one stored text."""
        values: dict[str, str] = json.loads(stored)
        return values

    def decode_columns(self, stored: Sequence[str], names: Sequence[str]) -> pa.Table:
        """Some raw values of many stored texts by column (string, null where a text lacks it); others are passed by."""
        schema = pa.schema([(name, pa.string()) for name in names])
        if not stored or not names:
            return schema.empty_table() if names else pa.table({})
        lines = "\n".join(stored).encode()
        return pj.read_json(
            pa.BufferReader(lines),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(lines) + 1),
            parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
