"""SipHash-2-4 against the vectors of its authors' reference implementation: key and input are 00 01 02 and so on."""

import numpy as np
import pytest

from mpi.matching.siphash import PUBLIC_KEY, hash_bytes, hash_pair, hash_strings, hash_text, key_words

VECTORS = {
    0: "310e0edd47db6f72",
    1: "fd67dc93c539f874",
    2: "5a4fa9d909806c0d",
    3: "2d7efbd796666785",
    7: "37d1018bf50002ab",
    8: "6224939a79f5f593",
    15: "e545be4961ca29a1",
}


@pytest.mark.parametrize("length", VECTORS)
def test_official_vectors(length: int) -> None:
    data = np.arange(length, dtype=np.uint8)
    code = int(hash_bytes(data, 0, length, key_words(bytes(range(16)))))
    assert code.to_bytes(8, "little").hex() == VECTORS[length]


def test_a_slice_hashes_as_its_own_bytes() -> None:
    data = np.frombuffer(b"xxnguyen van anyy", dtype=np.uint8)
    assert int(hash_bytes(data, 2, 15, key_words(PUBLIC_KEY))) == hash_text("nguyen van an", PUBLIC_KEY)


def test_a_pair_hashes_as_its_sixteen_bytes() -> None:
    words = np.array([7, 2**63], dtype=np.uint64)
    key = key_words(PUBLIC_KEY)
    assert hash_pair(words[0], words[1], key) == hash_bytes(words.view(np.uint8), 0, 16, key)


def test_strings_hash_one_by_one_and_empty_is_zero() -> None:
    data = np.frombuffer("anbình".encode(), dtype=np.uint8)
    out = np.full(3, 99, dtype=np.uint64)
    hash_strings(data, np.array([0, 2, 2, len(data)]), key_words(PUBLIC_KEY), out)
    assert out.tolist() == [hash_text("an", PUBLIC_KEY), 0, hash_text("bình", PUBLIC_KEY)]
    assert hash_text("", PUBLIC_KEY) == 0


def test_another_key_gives_another_code() -> None:
    assert hash_text("an", PUBLIC_KEY) != hash_text("an", bytes(16))


def test_a_key_has_sixteen_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes, not 15"):
        key_words(bytes(15))
