"""What stays of a value until somebody reveals it."""

import pytest

from mpi.app import App
from mpi.domain.model import LinkageModel
from mpi.services.desk.masking import HIDDEN, Masking


@pytest.fixture
def model() -> LinkageModel:
    return App.start().rules("vn_person", trained=False).model


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("full_name", "Nguyễn Văn An", "N•• V•• A••"),
        ("mother_name", "  trần   thị bé ", "t•• t•• b••"),
        ("birth_date", "1987-05-23", "••/1987"),
        ("birth_date", "23/05/1987", "••/1987"),
        ("birth_date", "19870523", "1987••"),
        ("birth_date", "202304230000", "2023••"),
        ("birth_date", "1987", "1987"),
        ("birth_date", "23/5/87", "••"),
        ("birth_date", "1987 hoặc 1988", "••"),
        ("sex", "Nam", "Nam"),
        ("citizen_id", "079087012345", "••2345"),
        ("citizen_id", "12345", "••"),
        ("health_insurance_number", "HS4790123456789", "••6789"),
        ("phone", "0903.123.456 (mẹ)", "••3456"),
        ("ward_code", "26734", "26734"),
        ("address", "335/32 Đặng Văn Bi, Phường Bình Thọ, Thủ Đức", "••, Phường Bình Thọ, Thủ Đức"),
        ("address", "hẻm 3, đường Lê Lợi, Phường 4, Gò Vấp", "••, Phường 4, Gò Vấp"),
        ("address", "335/32 Đặng Văn Bi", "••"),
        ("recorded_at", "2024-05-06", "2024-05-06"),
        ("a column of another system", "Nguyễn Văn An", "N•• V•• A••"),
    ],
)
def test_a_value_keeps_what_names_nobody(column: str, value: str, shown: str, model: LinkageModel) -> None:
    assert Masking(model).value(column, value) == shown


def test_a_number_in_a_column_that_is_shown_is_hidden(model: LinkageModel) -> None:
    assert Masking(model).values({"ward_code": "0903123456", "sex": "079087012345"}) == {
        "ward_code": "••••••3456",
        "sex": "••••••••2345",
    }


def test_names_of_any_length_are_hidden_alike(model: LinkageModel) -> None:
    masking = Masking(model)
    assert masking.value("full_name", "An Ly") == masking.value("full_name", "Anh Lương") == f"A{HIDDEN} L{HIDDEN}"


def test_it_is_known_which_columns_have_something_to_reveal(model: LinkageModel) -> None:
    masking = Masking(model)
    hidden = {
        column for column in ("full_name", "birth_date", "sex", "ward_code", "recorded_at") if masking.hides(column)
    }
    assert hidden == {"full_name", "birth_date"}


def test_other_rule_families_hide_what_they_do_not_know() -> None:
    masking = Masking(App.start().rules("febrl", trained=False).model)
    assert masking.value("given_name", "charlotte") == "c••"
    assert masking.value("date_of_birth", "19630115") == "1963••"
    assert masking.value("soc_sec_id", "7301254") == "••1254"
