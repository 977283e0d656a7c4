"""A file appears whole, private and under its name, or there is nothing new at all."""

import os
from pathlib import Path

import pytest

from mpi.batch.whole_files import WholeFile


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")
    file = WholeFile(path)
    file.stream.write(b"new")
    file.stream.flush()
    assert path.read_bytes() == b"old"
    file.put_in_place()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


def test_a_dropped_file_leaves_nothing(tmp_path: Path) -> None:
    file = WholeFile(tmp_path / "out.bin")
    file.stream.write(b"x" * 100_000)
    file.drop()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        WholeFile(tmp_path / "none" / "out.bin")


def test_what_the_disk_refuses_is_told_and_dropped(tmp_path: Path) -> None:
    file = WholeFile(tmp_path / "out.bin")
    os.dup2(os.open("/dev/full", os.O_WRONLY), file.stream.fileno())
    file.stream.write(b"x")
    with pytest.raises(OSError, match="No space"):
        file.put_in_place()
    file.drop()
    assert list(tmp_path.iterdir()) == []
