"""Every screen of the desk and the states that it can be in, with the way that somebody takes there.

Tests look at each of them; the pictures of the documentation are taken of them.
"""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from mpi.domain.review import Actor, Stage, Verdict
from mpi.registry import tables
from mpi.services.stewardship import adjudicate, review_queue
from mpi.services.stewardship.adjudicate import DecisionRequest
from tests.browser.city import HOSTILE_KEY
from tests.browser.desk import DEFECTIVE, Desk
from tests.browser.visits import Visits
from tests.services.stewardship.stewards import call


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody goes to a screen: in whose browser, in which language."""

    visits: Visits
    language: str = "vi"

    @property
    def desk(self) -> Desk:
        return self.visits.desk

    def open(self, path: str, *, name: str = "steward") -> Page:
        """The page of somebody who is signed in."""
        return self.visits.of(name, language=self.language, path=path)

    def task(self, *keys: str) -> str:
        """The path of the open task about a record of these, such as hospital:BN3."""
        found = [
            task
            for task in self.desk.elsewhere().tasks(self.desk.actor("lead"))
            if {str(task.record_a), str(task.record_b)} & set(keys)
        ]
        return f"/tasks/{found[0].task_id}"

    def end_leases(self) -> None:
        """Nobody holds a task any more: whoever had one was away for too long."""
        with self.desk.registry.begin() as uow:
            uow.connection.execute(sa.update(tables.review_task).values(claimed_by=None, claimed_until=None))

    def person(self, key: str) -> str:
        """The path of the person of a record."""
        return f"/people/{self.desk.elsewhere().id_of(key)}"


def a_mornings_work(way: Way) -> None:
    """Two stewards read some tasks; what needs a second reader, the other reads too, and not always alike."""
    elsewhere = way.desk.elsewhere()
    readers = way.desk.actor("steward"), way.desk.actor("steward2")
    for number, task in enumerate(elsewhere.tasks(readers[0])[:24]):
        first, second = (readers[(number + turn) % 2] for turn in (0, 1))
        verdict = (Verdict.SAME, Verdict.DIFFERENT, Verdict.DIFFERENT, Verdict.UNSURE)[number % 4]
        read(way, task.task_id, verdict, by=first, seconds=5.0 + 7 * number % 19)
        if elsewhere.task(task.task_id, first).stage is Stage.SECOND:
            agreed = verdict if number % 5 else Verdict.DIFFERENT
            read(way, task.task_id, agreed, by=second, seconds=8.0 + 5 * number % 17)


def read(way: Way, task_id: int, verdict: Verdict, *, by: Actor, seconds: float) -> None:
    """An answer with a note, as it comes from elsewhere."""
    desk = way.desk
    task = review_queue.task(desk.registry, by, task_id)
    note = {Verdict.SAME: "Cùng sổ khám", Verdict.DIFFERENT: "Hai sổ hộ khẩu", Verdict.UNSURE: "Cần hỏi trạm y tế"}
    asked = DecisionRequest(task_id, verdict, note[verdict], task.version, task.seen_revision, seconds)
    adjudicate.decide(desk.registry, desk.rules, by, call(), asked, pickle.dumps)


def sign_in(way: Way) -> Page:
    page = way.visits.anybody()
    page.goto(way.desk.url("/sign-in"))
    if way.language != "vi":
        page.locator(f"button[name=language][value={way.language}]").click()
        expect(page.locator("html")).to_have_attribute("lang", way.language)
    return page


def queue(way: Way) -> Page:
    return way.open("/queue")


def empty_queue(way: Way) -> Page:
    close = sa.update(tables.review_task).values(status="closed", closed_reason="tested", closed_at="2026-01-01")
    with way.desk.registry.begin() as uow:
        uow.connection.execute(close)
    return way.open("/queue")


def pair(way: Way) -> Page:
    return way.open(way.task("student:HS1"))


def revealed_pair(way: Way) -> Page:
    page = pair(way)
    page.keyboard.press("r")
    expect(page.locator("main mark").first).to_be_visible()
    return page


def second_reading(way: Way) -> Page:
    elsewhere = way.desk.elsewhere()
    path = way.task("student:HS1")
    task = elsewhere.task(int(path.rpartition("/")[2]), way.desk.actor("steward2"))
    outcome = elsewhere.answer(task, Verdict.SAME, by=way.desk.actor("steward2"))
    assert outcome.task is not None
    assert outcome.task.stage is Stage.SECOND
    return way.open(path)


def overlay(way: Way) -> Page:
    return way.open(way.task("hospital:BN3"))


def cluster(way: Way) -> Page:
    task = way.task("hospital:BN4", "insurance:BH4", "station:TYT4").rpartition("/")[2]
    return way.open(f"{way.person('hospital:BN4')}/cluster?task={task}")


def split_preview(way: Way) -> Page:
    page = way.open(f"{way.person('hospital:BN3')}/cluster")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".parts")).to_be_visible()
    return page


def person(way: Way) -> Page:
    return way.open(way.person("hospital:BN4"))


def hostile_person(way: Way) -> Page:
    return way.open(way.person(HOSTILE_KEY))


def merge_preview(way: Way) -> Page:
    one, other = (way.person(key).removeprefix("/people/") for key in ("hospital:BN6", "station:TYT7"))
    return way.open(f"/merge?a={one}&b={other}")


def search(way: Way) -> Page:
    page = way.open("/people")
    page.locator("#text").fill("Lê Gia Ân")
    page.locator("#birth").fill("2015")
    page.keyboard.press("Enter")
    page.locator("main a[href^='/people/']").first.wait_for()
    return page


def audit(way: Way) -> Page:
    a_mornings_work(way)
    return way.open("/audit", name="lead")


def team(way: Way) -> Page:
    a_mornings_work(way)
    return way.open("/team", name="lead")


def help_page(way: Way) -> Page:
    return way.open("/help")


def forbidden(way: Way) -> Page:
    return way.open("/team")


def unknown(way: Way) -> Page:
    return way.open("/people/AAA-AAA-AAA")


def changed_meanwhile(way: Way) -> Page:
    page = pair(way)
    path = way.task("student:HS1")
    elsewhere, colleague = way.desk.elsewhere(), way.desk.actor("steward2")
    way.end_leases()
    elsewhere.answer(elsewhere.task(int(path.rpartition("/")[2]), colleague), Verdict.DIFFERENT, by=colleague)
    page.keyboard.press("c")
    page.keyboard.type("Đã xem sổ khám")
    page.keyboard.press("Escape")
    with page.expect_response("**/decide") as answered:
        page.keyboard.press("n")
    assert answered.value.status == 409
    return page


def too_many_attempts(way: Way) -> Page:
    page = sign_in(way)
    for _ in range(6):
        page.locator("#name").fill("auditor")
        page.locator("#password").fill("not the password")
        with page.expect_response("**/sign-in") as answered:
            page.keyboard.press("Enter")
        page.wait_for_load_state()
    assert answered.value.status == 429
    return page


def defective(way: Way) -> Page:
    return way.open(DEFECTIVE)


SCREENS: Mapping[str, Callable[[Way], Page]] = {
    "sign-in": sign_in,
    "queue": queue,
    "queue-empty": empty_queue,
    "pair": pair,
    "pair-revealed": revealed_pair,
    "second-reading": second_reading,
    "overlay": overlay,
    "cluster": cluster,
    "split-preview": split_preview,
    "person": person,
    "merge-preview": merge_preview,
    "search": search,
    "audit": audit,
    "team": team,
    "help": help_page,
    "error-403": forbidden,
    "error-404": unknown,
    "error-409": changed_meanwhile,
    "error-429": too_many_attempts,
    "error-500": defective,
}
"""By the name of their picture."""
