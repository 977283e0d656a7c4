"""Every error has one code and one reason, and the definition says the same as the table."""

import logging
import re
from pathlib import Path

import grpc
import pytest

from mpi.domain import errors as domain_errors
from mpi.domain.errors import InvalidInputError, MpiError, NotFoundError, RegistryError, RunInProgressError
from mpi.identity.v1.error_reason_pb2 import ErrorReason
from mpi.rpc import errors as shell_errors
from mpi.rpc.errors import MEANINGS, Blame, code_of, status_of
from tests.rpc.serving import told_in

_PREFIX = "ERROR_REASON_"
DEFINITION = Path(__file__).parents[2] / "proto/mpi/identity/v1/error_reason.proto"


def test_the_table_says_of_every_reason_the_code_that_the_definition_says() -> None:
    text = DEFINITION.read_text(encoding="utf-8")
    said = re.findall(rf"// ([A-Z_]+): (?:[^\n]*\n  //)*[^\n]*\n  {_PREFIX}(\w+) = [1-9]", text)
    names = {name.removeprefix(_PREFIX) for name in ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118 (an enum)
    assert {name for _, name in said} == names
    assert {name: code for code, name in said} == {name: MEANINGS[name].code.name for name in names}
    assert {meaning.reason for meaning in MEANINGS.values()} == names


@pytest.mark.parametrize("module", [domain_errors, shell_errors])
def test_every_error_of_the_service_is_known_by_its_reason_or_its_class(module: object) -> None:
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, MpiError)]
    codes = {kind: code_of(status_of(kind("said"))) for kind in kinds}
    unexpected = {kind.__name__ for kind, code in codes.items() if code is grpc.StatusCode.INTERNAL}
    # A bare MpiError says nothing; worker processes are lost in batch runs only; no call bears a password.
    elsewhere = {"WorkerLostError", "SignInRefusedError", "TooManyAttemptsError"}
    assert unexpected == {"MpiError"} | (elsewhere if module is domain_errors else set())


def test_bad_input_names_the_field_and_says_no_more_than_the_error() -> None:
    told = told_in(status_of(InvalidInputError("x is required", metadata={"field": "record.x"})))
    assert (told.code, told.reason, told.message) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        "x is required",
    )
    assert (told.fields, told.metadata, told.retry_seconds) == (["record.x"], {"field": "record.x"}, None)
    assert told_in(status_of(InvalidInputError("mistyped"), Blame(field="name"))).fields == ["name"]


def test_what_is_not_found_is_what_the_method_looks_for() -> None:
    assert told_in(status_of(NotFoundError("none"), Blame("UNKNOWN_PERSON"))).reason == "UNKNOWN_PERSON"
    assert told_in(status_of(NotFoundError("none"))).reason == "UNKNOWN_RECORD"


def test_a_busy_or_lost_registry_says_when_to_try_again() -> None:
    assert told_in(status_of(RunInProgressError("busy"))).retry_seconds == 30.0
    lost = told_in(status_of(RegistryError("gone", metadata={"sqlstate": "57P01"})))
    assert (lost.code, lost.reason) == (grpc.StatusCode.UNAVAILABLE, "REGISTRY_UNAVAILABLE")
    deadlock = told_in(status_of(RegistryError("deadlock", metadata={"sqlstate": "40P01"})))
    assert (deadlock.code, deadlock.reason) == (grpc.StatusCode.ABORTED, "WRITE_CONFLICT")
    assert deadlock.retry_seconds is not None


@pytest.mark.parametrize(
    "error", [ValueError("Trần Thị Lan"), RegistryError("Trần Thị Lan", metadata={"sqlstate": "23505"})]
)
def test_a_defect_is_told_by_a_word_that_the_log_explains(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise error

    with caplog.at_level(logging.ERROR):
        try:
            fail()
        except Exception as raised:
            told = told_in(status_of(raised))
    assert (told.code, told.reason) == (grpc.StatusCode.INTERNAL, "UNEXPECTED")
    [record] = caplog.records
    assert told.metadata["incident"] in record.getMessage()
    assert type(error).__name__ in record.getMessage()
    assert "fail (" in record.getMessage()
    for said in (told.message, str(told.metadata), caplog.text):
        assert "Lan" not in said
