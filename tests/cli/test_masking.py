"""Numbers of persons on a screen."""

import pytest

from mpi.app import App
from mpi.cli.masking import Mask
from mpi.domain.model import LinkageModel


@pytest.fixture
def model() -> LinkageModel:
    return App.start().rules("vn_person", trained=False).model


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("citizen_id", "079012345678", "••••••••5678"),
        ("phone", "0903.123.456 (mẹ)", "••••••3456 (mẹ)"),
        ("phone", "+84 90 312 3456; 0281234567", "+•••••••3456; ••••••4567"),
        ("health_insurance_number", "HS4790123456789", "HS•••••••••6789"),
        ("birth_date", "202304230000", "202304230000"),
        ("recorded_at", "2024-05-06", "2024-05-06"),
        ("address", "335/32 Đặng Văn Bi", "335/32 Đặng Văn Bi"),
        ("full_name", "Nguyễn Văn An 0903123456", "Nguyễn Văn An ••••••3456"),
    ],
)
def test_numbers_keep_four_digits_and_dates_all(column: str, value: str, shown: str, model: LinkageModel) -> None:
    assert Mask(model, reveal=False).value(column, value) == shown
    assert Mask(model, reveal=True).value(column, value) == value
