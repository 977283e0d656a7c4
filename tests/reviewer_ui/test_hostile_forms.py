"""Whatever is written into an address or a form, no page breaks: every field of every page, one after the other."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from mpi.registry.registry import Registry
from reviewer_ui.routes import OPEN_ROUTERS, ROUTERS
from tests.reviewer_ui.asked import ask
from tests.reviewer_ui.running_desk import Visitor, people_at_the_desk, running_desk
from tests.services.stored import HUNG, LAN, MAI, index, store

HOSTILE = ("-1", str(2**63), "nan", "a" * 9_000, "hospital:\x00:\u202e\ufffe", "'; DROP TABLE person; --")
# It ends the session that the others need.
_SIGNS_OUT = "/sign-out"


def names_of(fields: list[Any]) -> Iterator[str]:
    """The names that a page takes from its address or form, those of models included."""
    for field in fields:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from kind.model_fields
        else:
            yield field.alias


def pages() -> list[APIRoute]:
    routes = [route for router in (*OPEN_ROUTERS, *ROUTERS) for route in router.routes]
    return [route for route in routes if isinstance(route, APIRoute) and route.path != _SIGNS_OUT]


class Attempts:
    """Somebody who writes one hostile value after the other, all else being as it should."""

    def __init__(self, lead: Visitor, ordinary: dict[str, str]) -> None:
        self.lead = lead
        self.ordinary = ordinary
        self.made = 0
        self.broken: list[tuple[str, str, str, int]] = []

    def on(self, route: APIRoute) -> None:
        path, sent = route.dependant.path_params, route.dependant.body_params
        if "GET" in (route.methods or ()):
            for name in sorted({*names_of([*path, *route.dependant.query_params])}):
                for value in HOSTILE:
                    answer = self.lead.get(f"{self._path(route, name, value)}?{name}={quote(value, safe='')}")
                    self._note(route, name, value, answer.status_code)
        if "POST" in (route.methods or ()):
            for name in sorted({*names_of([*path, *sent])}):
                for value in HOSTILE:
                    answer = self.lead.post(self._path(route, name, value), {**self.ordinary, name: value})
                    self._note(route, name, value, answer.status_code)

    def _path(self, route: APIRoute, name: str, value: str) -> str:
        parts = {each.alias: self.ordinary[each.alias] for each in route.dependant.path_params}
        return route.path.format(**parts | ({name: quote(value, safe="")} if name in parts else {}))

    def _note(self, route: APIRoute, name: str, value: str, status: int) -> None:
        self.made += 1
        if status >= 500:
            self.broken.append((route.path, name, value[:40], status))


@pytest.mark.usefixtures("quick_passwords")
def test_no_page_breaks(registry: Registry) -> None:
    people = store(registry, [LAN, HUNG, MAI])
    index(registry)
    people_at_the_desk(registry)
    ordinary = {
        "task_id": str(ask(registry, LAN[0].key, HUNG[0].key)),
        "enterprise_id": people[0],
        "a": people[0],
        "b": people[1],
        "record": str(LAN[0].key),
        "column": "phone",
        "show": "phone",
        "verdict": "same",
        "expected_version": "1",
        "seen_revision": "9000",
        "language": "vi",
        "name": "somebody",
    }
    with running_desk(registry) as address:
        lead = Visitor(address)
        assert lead.sign_in("lead").status_code == 303
        attempts = Attempts(lead, ordinary)
        for route in pages():
            attempts.on(route)
        assert lead.get("/queue").status_code == 200, "the lead is not signed in any more"
    assert attempts.broken == []
    assert attempts.made > 1_000
