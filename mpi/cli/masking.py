"""Numbers of persons on a screen: their last four digits. Dates, names and addresses stay as they are."""

from collections.abc import Mapping

from mpi.domain.model import LinkageModel
from mpi.services.desk.masking import hide_numbers


class Mask:
    """Hides the numbers of one rule family's raw columns; with `reveal` nothing."""

    def __init__(self, model: LinkageModel, *, reveal: bool) -> None:
        self._reveal = reveal
        dates = [rule for rule in model.fields if "date" in rule.standardiser]
        self._plain = {"recorded_at", *(column for rule in dates for column in rule.inputs.values())}

    def value(self, column: str, value: str) -> str:
        """A raw value with all but the last digits of every number of seven digits or more hidden."""
        if self._reveal or column in self._plain:
            return value
        return hide_numbers(value)

    def values(self, values: Mapping[str, str]) -> dict[str, str]:
        """All values of a record."""
        return {column: self.value(column, value) for column, value in values.items()}
