"""`mpi accounts`: what it makes, prints and refuses; a password is never an argument and never printed."""

import io
import json
import sys
from pathlib import Path

import pytest
import typer

from mpi.registry.registry import Registry
from mpi.services.sessions import sign_in
from tests.cli.conftest import Mpi

pytestmark = pytest.mark.usefixtures("quick_passwords")

PASSWORD = "a long enough password"


@pytest.fixture
def url(tmp_path: Path, mpi: Mpi) -> str:
    made = f"sqlite:///{tmp_path}/registry.db"
    assert mpi("db", "migrate", "--db", made).code == 0
    return made


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def signs_in(url: str, name: str, password: str) -> bool:
    with Registry.open(url, secret=None, create=False) as registry:
        return sign_in(registry, name, password).session.account.name == name


def test_accounts_are_made_listed_and_closed(url: str, mpi: Mpi, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no accounts yet" in mpi("accounts", "list", "--db", url).out
    Path("password").write_text(f"{PASSWORD}\r\nnot this\n", encoding="utf-8")
    told = mpi("accounts", "add", "lan", "--role", "lead", "--password-file", "password", "--db", url, "--json").json
    assert (told["account"], told["role"], told["active"], told["display_name"]) == ("lan", "lead", True, "lan")
    typed(monkeypatch, f"{PASSWORD}\n")
    options = ("--role", "steward", "--display-name", "Phạm Ngọc Mai", "--password-stdin")
    assert mpi("accounts", "add", "mai", *options, "--db", url).out == "made the account mai with the role steward\n"
    assert signs_in(url, "lan", PASSWORD)
    assert signs_in(url, "mai", PASSWORD)
    token = mpi("accounts", "token", "mai", "--db", url).out
    assert token.startswith("mpi_")
    assert mpi("accounts", "token", "mai", "--db", url, "--json").json["token"] != token.strip()
    assert mpi("accounts", "close", "lan", "--db", url).out == "closed the account lan; sessions ended: 1\n"
    listed = mpi("accounts", "list", "--db", url)
    assert "Phạm Ngọc Mai" in listed.out
    found = {each["account"]: each for each in mpi("accounts", "list", "--db", url, "--json").json}
    assert (found["lan"]["active"], found["mai"]["active"], found["mai"]["has_token"]) == (False, True, True)
    assert "argon2" not in listed.out + json.dumps(found)


def test_another_password(url: str, mpi: Mpi, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, PASSWORD)
    assert mpi("accounts", "add", "lan", "--role", "steward", "--password-stdin", "--db", url).code == 0
    assert signs_in(url, "lan", PASSWORD)
    typed(monkeypatch, "quite another password")
    told = mpi("accounts", "password", "lan", "--password-stdin", "--db", url, "--json").json
    assert told == {"account": "lan", "sessions_ended": 1}
    assert signs_in(url, "lan", "quite another password")


def test_a_password_is_asked_for_twice_at_a_terminal(url: str, mpi: Mpi, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked = []

    def prompt(text: str, *, hide_input: bool, confirmation_prompt: bool, err: bool) -> str:
        asked.append((text, hide_input, confirmation_prompt, err))
        return PASSWORD

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(typer, "prompt", prompt)
    assert mpi("accounts", "add", "lan", "--role", "steward", "--db", url).code == 0
    assert asked == [("Password", True, True, True)]
    assert signs_in(url, "lan", PASSWORD)


def test_a_demo_prints_what_signs_in(url: str, mpi: Mpi) -> None:
    made = mpi("accounts", "demo", "--db", url, "--json").json
    assert [each["account"] for each in made] == ["steward", "steward2", "lead", "auditor", "admin"]
    for each in made:
        assert signs_in(url, each["account"], each["password"])
    again = mpi("accounts", "demo", "--db", url)
    assert (again.code, again.out) == (2, "")
    assert "has accounts already" in again.err


@pytest.mark.parametrize(
    ("words", "typed_in", "code", "said"),
    [
        ("add lan --role chief --password-stdin", PASSWORD, 2, "the roles are steward, lead, auditor, admin"),
        ("add Lan --role lead --password-stdin", PASSWORD, 2, "small letters"),
        ("add lan --role lead --password-stdin", "short", 2, "12 to 256 characters"),
        ("add lan --role lead --password-stdin --password-file x", PASSWORD, 2, "exclude each other"),
        ("add lan --role lead --password-file nowhere", "", 2, "No such file"),
        ("add lan --role lead", PASSWORD, 2, "give --password-file or --password-stdin"),
        ("add lan", PASSWORD, 2, "--role"),
        ("add lan --role lead --password secret", PASSWORD, 2, "--password"),
        ("close lan", "", 4, "no account 'lan'"),
        ("token lan", "", 4, "no account 'lan'"),
        ("password lan --password-stdin", PASSWORD, 4, "no account 'lan'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    url: str, mpi: Mpi, monkeypatch: pytest.MonkeyPatch, words: str, typed_in: str, code: int, said: str
) -> None:
    typed(monkeypatch, typed_in)
    ran = mpi("accounts", *words.split(), "--db", url)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert PASSWORD not in ran.err
    assert mpi("accounts", "list", "--db", url, "--json").json == []


def test_a_password_that_is_no_text_is_refused(url: str, mpi: Mpi) -> None:
    Path("password").write_bytes(b"\xff\xfe\x00 a long enough password")
    ran = mpi("accounts", "add", "lan", "--role", "lead", "--password-file", "password", "--db", url)
    assert (ran.code, "no UTF-8 text" in ran.err) == (2, True)
