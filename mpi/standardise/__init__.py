"""Raw strings to standard values: pure scalar functions, one field kind a file, tied together by `record`."""
