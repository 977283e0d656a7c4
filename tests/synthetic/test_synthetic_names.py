import numpy as np
import pytest

from mpi.synthetic.names import STYLE_CODES, NameBook
from mpi.synthetic.people import World

WRITTEN = [
    ("title", "Nguyễn Thị Hòa"),
    ("upper", "NGUYỄN THỊ HÒA"),
    ("lower", "nguyễn thị hòa"),
    ("bare", "Nguyen Thi Hoa"),
    ("bare_upper", "NGUYEN THI HOA"),
    ("telex", "Nguyeenx Thij Hoaf"),
    ("vni_keys", "Nguye6n4 Thi5 Hoa2"),
    ("tone", "Nguyễn Thị Hoà"),
    ("mojibake", "Nguyá»…n Thá»‹ HÃ²a"),
    ("lost", "Nguy?n Th? Hòa"),
    ("tcvn3", "NguyÔn ThÞ Hßa"),
    ("vni_font", "Nguyeãn Thò Hoøa"),
    ("nfd", "Nguye\u0302\u0303n Thi\u0323 Ho\u0300a"),
]


@pytest.fixture(scope="module")
def book(world: World) -> NameBook:
    return world.names


def parts(book: NameBook, *words: str) -> list[np.ndarray]:
    return [np.array([book.number[word]]) for word in words]


@pytest.mark.parametrize(("style", "written"), WRITTEN)
def test_a_name_in_every_style(book: NameBook, style: str, written: str) -> None:
    name = book.render(
        parts(book, "", "Nguyễn", "Thị", "Hòa"), np.array([STYLE_CODES[style]]), np.array([0], dtype=np.int64)
    )
    assert name.to_pylist() == [written]


def test_names_without_middle_have_one_blank_and_prefixes_and_suffixes_stand(book: NameBook) -> None:
    style, first_twin = np.array([STYLE_CODES["upper"]]), np.array([5])
    assert book.render(parts(book, "", "Lê", "", "An"), style, np.array([0])).to_pylist() == ["LÊ AN"]
    assert book.render(parts(book, "Con Bà", "Lê", "Thị", "Hà"), style, first_twin).to_pylist() == [
        "CON BÀ LÊ THỊ HÀ 1"
    ]


def test_surnames_follow_the_citys_frequencies(book: NameBook) -> None:
    drawn = book.surnames.draw(np.random.default_rng(1), 100_000)
    assert np.mean(drawn == book.number["Nguyễn"]) == pytest.approx(0.31, abs=0.02)
    assert np.mean(drawn == book.number["Trần"]) == pytest.approx(0.096, abs=0.01)
    assert np.mean(drawn == book.number["Huỳnh"]) > np.mean(drawn == book.number["Hoàng"])


def test_full_names_meet_by_chance_as_often_as_in_the_city(book: NameBook) -> None:
    """One pair in 18,000 to 75,000 in the published corpora; surname and given name one in 1,000 to 1,900."""
    rng = np.random.default_rng(2)
    count = 200_000
    sex, year = rng.integers(1, 3, count), rng.integers(1950, 2020, count)
    middle, given = book.draw_given_names(rng, sex, year)
    surname = book.surnames.draw(rng, count)

    def one_in(*columns: np.ndarray) -> float:
        _, counts = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
        return count * count / float((counts * (counts - 1)).sum())

    assert 15_000 < one_in(surname, middle, given) < 60_000
    assert 700 < one_in(surname, given) < 1_900


def test_names_follow_sex(book: NameBook) -> None:
    rng = np.random.default_rng(3)
    _, men = book.draw_given_names(rng, np.full(20_000, 1), np.full(20_000, 1985))
    _, women = book.draw_given_names(rng, np.full(20_000, 2), np.full(20_000, 1985))
    assert np.mean(women == book.number["Trang"]) > 0.015 > 0.005 > np.mean(men == book.number["Trang"])
    assert np.mean(men == book.number["Tuấn"]) > 0.012 > 0.003 > np.mean(women == book.number["Tuấn"])


@pytest.mark.parametrize(
    ("word", "table", "other"),
    [
        ("Hoàng", "neutral", "Huỳnh"),
        ("Huỳnh", "neutral", "Hoàng"),
        ("Mỹ", "neutral", "Mĩ"),
        ("Sương", "dialect", "Xương"),
        ("Hải", "dialect", "Hãi"),
        ("Đạt", "dialect", "Đạc"),
        ("Loan", "dialect", "Loang"),
        ("Hải", "typo", "Hai"),
        ("Thị Thu", "shorter", "Thu"),
    ],
)
def test_wrong_forms_of_a_word(book: NameBook, word: str, table: str, other: str) -> None:
    drawn = getattr(book, table).draw(np.random.default_rng(4), np.full(400, book.number[word]))
    assert book.number[other] in drawn
    assert book.number[word] not in drawn


def test_words_without_a_form_stay(book: NameBook) -> None:
    an = np.array([book.number["An"], 0])
    assert book.shorter.draw(np.random.default_rng(5), an).tolist() == an.tolist()


def test_twins_names_start_alike(book: NameBook) -> None:
    drawn = book.alike[1].draw(np.random.default_rng(6), np.full(100, book.number["Trang"]))
    assert {book.words[v][0] for v in drawn} == {"T"}
    assert len(set(drawn)) > 5
    assert book.number["Trang"] not in drawn
