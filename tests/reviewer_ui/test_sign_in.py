"""Signing in and out: cookies, where one goes on to, and what is refused."""

import pytest
import sqlalchemy as sa

from mpi.domain.review import Actor, Role
from mpi.registry.registry import Registry
from mpi.registry.tables import desk_session
from mpi.services.accounts import choose_language, close_account
from mpi.services.sessions import MOST_FAILURES
from reviewer_ui.access import own_path
from reviewer_ui.wiring import ATTEMPTS_OF_AN_ADDRESS
from tests.postgres import PostgresServer
from tests.registries import SECRET, migrated
from tests.reviewer_ui.running_desk import COOKIE, PASSWORD, Visitor, people_at_the_desk, running_desk

WRONG = "not the password at all"


def test_a_steward_signs_in_and_out(visitor: Visitor, registry: Registry) -> None:
    shown = visitor.get("/sign-in")
    assert (shown.status_code, COOKIE in visitor.cookies) == (200, False)
    assert '<html lang="vi">' in shown.text
    assert "Đăng nhập" in shown.text
    answer = visitor.sign_in("steward")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert visitor.get("/").headers["location"] == "/queue"
    assert visitor.get("/sign-in?next=/help").headers["location"] == "/help"
    old = visitor.cookies[COOKIE]
    out = visitor.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in visitor.cookies
    with registry.snapshot() as uow:
        assert uow.connection.scalar(sa.select(sa.func.count()).select_from(desk_session)) == 0
    visitor.cookies[COOKIE] = old
    assert visitor.get("/").headers["location"] == "/sign-in?ended=1"


@pytest.mark.parametrize(
    ("name", "first"), [("steward", "/queue"), ("lead", "/queue"), ("auditor", "/audit"), ("admin", "/team")]
)
def test_everybody_begins_where_they_have_work(visitor: Visitor, name: str, first: str) -> None:
    visitor.sign_in(name)
    assert visitor.get("/").headers["location"] == first


def test_the_cookie_is_for_this_host_https_and_no_script(visitor: Visitor) -> None:
    header = visitor.sign_in("steward").headers["set-cookie"]
    name_and_value, *flags = [part.strip().lower() for part in header.split(";")]
    assert name_and_value.startswith("__host-desk=")
    assert {"secure", "httponly", "path=/", "samesite=lax", "max-age=43200"} == set(flags)


def test_signing_in_gives_a_new_secret_whatever_cookie_there_was(desk: str, registry: Registry) -> None:
    visitor = Visitor(desk, cookies={COOKIE: "a-secret-that-somebody-planted"})
    visitor.sign_in("steward")
    first = visitor.cookies[COOKIE]
    assert first != "a-secret-that-somebody-planted"
    visitor.sign_in("steward")
    assert visitor.cookies[COOKIE] != first
    assert Visitor(desk, cookies={COOKIE: first}).get("/").headers["location"] == "/sign-in?ended=1"
    assert Visitor(desk, cookies={COOKIE: "a-secret-that-somebody-planted"}).get("/").status_code == 303
    with registry.snapshot() as uow:
        assert uow.connection.scalar(sa.select(sa.func.count()).select_from(desk_session)) == 1


@pytest.mark.parametrize("name", ["steward", "nobody", "", "<script>alert(1)</script>", "a\x00b", "x" * 150])
def test_a_wrong_name_and_a_wrong_password_read_the_same(visitor: Visitor, name: str) -> None:
    answer = visitor.post("/sign-in", {"name": name, "password": WRONG, "next": "/help"}, accept_language="en")
    assert answer.status_code == 403
    assert "The name or the password is wrong, or the account is closed." in answer.text
    assert 'name="next" value="/help"' in answer.text
    assert COOKIE not in visitor.cookies
    assert WRONG not in answer.text
    assert "<script>alert" not in answer.text
    assert Visitor(visitor.address).get("/").headers["location"] == "/sign-in"


def test_too_many_failures_say_when_to_come_back(visitor: Visitor, desk: str) -> None:
    for _ in range(MOST_FAILURES):
        assert visitor.sign_in("steward", WRONG).status_code == 403
    answer = Visitor(desk).post("/sign-in", {"name": "steward", "password": PASSWORD}, accept_language="en")
    assert answer.status_code == 429
    seconds = int(answer.headers["retry-after"])
    assert 800 < seconds <= 901
    assert f"You can try again in {seconds} seconds." in answer.text
    assert visitor.sign_in("lead").status_code == 303


def test_an_address_that_tries_many_names_waits(visitor: Visitor, registry: Registry) -> None:
    told = [visitor.sign_in(f"name{number}", WRONG).status_code for number in range(ATTEMPTS_OF_AN_ADDRESS + 1)]
    assert told == [403] * ATTEMPTS_OF_AN_ADDRESS + [429]
    assert visitor.sign_in("steward").status_code == 429


def test_who_signs_in_at_last_begins_anew(visitor: Visitor) -> None:
    for number in range(ATTEMPTS_OF_AN_ADDRESS - 1):
        assert visitor.sign_in(f"another{number}", WRONG).status_code == 403
    assert visitor.sign_in("lead").status_code == 303
    assert [visitor.sign_in(f"third{number}", WRONG).status_code for number in range(3)] == [403] * 3


def test_a_closed_account_is_sent_away_at_its_next_step(visitor: Visitor, registry: Registry) -> None:
    visitor.sign_in("steward")
    assert visitor.get("/").headers["location"] == "/queue"
    close_account(registry, "steward")
    assert visitor.get("/").headers["location"] == "/sign-in?ended=1"
    assert visitor.sign_in("steward").status_code == 403


def test_whoever_is_sent_to_sign_in_comes_back(visitor: Visitor) -> None:
    assert visitor.get("/").headers["location"] == "/sign-in"
    answer = visitor.sign_in("steward", wanted="/tasks/7?view=folded&x=1")
    assert answer.headers["location"] == "/tasks/7?view=folded&x=1"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/ok\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "http:evil.example",
        "evil.example",
        "",
        "/nguyễn",
        "/" + "x" * 600,
        "//[::1",
    ],
)
def test_one_goes_on_to_the_desk_only(visitor: Visitor, wanted: str) -> None:
    assert own_path(wanted) == "/"
    answer = visitor.sign_in("steward", wanted=wanted)
    assert answer.headers["location"] == "/"
    assert "set-cookie" in answer.headers
    assert "a=b" not in answer.headers["set-cookie"]


def test_the_account_says_which_language_is_spoken(visitor: Visitor, registry: Registry) -> None:
    assert '<html lang="en">' in visitor.get("/sign-in", accept_language="en-US,en;q=0.9,vi;q=0.1").text
    visitor.sign_in("steward")
    assert '<html lang="vi">' in visitor.get("/nothing", accept_language="en").text
    choose_language(registry, Actor("steward", Role.STEWARD), "en")
    answer = visitor.get("/nothing")
    assert '<html lang="en">' in answer.text
    assert answer.headers["content-language"] == "en"


def test_a_session_holds_at_every_server_of_a_registry(postgres: PostgresServer, quick_passwords: None) -> None:
    with (
        migrated(postgres) as url,
        Registry.open(url, secret=SECRET, create=False) as one,
        Registry.open(url, secret=SECRET, create=False) as two,
    ):
        people_at_the_desk(one)
        with running_desk(one) as first, running_desk(two) as second:
            visitor = Visitor(first)
            visitor.sign_in("steward")
            other = Visitor(second, cookies=dict(visitor.cookies))
            assert other.get("/").headers["location"] == "/queue"
            other.csrf = visitor.csrf
            assert other.post("/sign-out").headers["location"] == "/sign-in"
            assert visitor.get("/").headers["location"] == "/sign-in?ended=1"
