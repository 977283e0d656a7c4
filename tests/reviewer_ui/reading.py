"""What a page says, and what its forms hold, for tests that read pages as people do."""

import re
from html import unescape

from mpi.registry import events
from mpi.registry.registry import Registry
from mpi.services.neighbourhood import OnlineRules
from tests.reviewer_ui.running_desk import Visitor
from tests.services.stored import index

HOSTILE = "<script>alert('x')</script> \"><img src=x onerror=alert(1)>"
"""A value as somebody might type it who means harm."""


def main_of(page: str) -> str:
    """The content of a page, without its frame."""
    found = re.search(r"<main.*?</main>", page, re.DOTALL)
    assert found is not None
    return found[0]


def said_by(page: str) -> str:
    """The words of a page's content, single spaces between them."""
    words = unescape(re.sub(r"<[^>]*>", " ", main_of(page)))
    return re.sub(r" ([.,;:)])", r"\1", " ".join(words.split()))


def hidden_fields(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with an action."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert form is not None, action
    return {
        name: unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0])
    }


def signed_in(address: str, name: str, language: str = "en") -> Visitor:
    """Somebody who has signed in and reads a language."""
    visitor = Visitor(address)
    assert visitor.sign_in(name).status_code == 303
    assert visitor.post("/language", {"language": language, "back": "/"}).status_code == 303
    return visitor


def indexed(registry: Registry) -> OnlineRules:
    """The rules over a registry whose records can be looked up, and which takes single records."""
    return index(registry)


def history(registry: Registry) -> list[str]:
    """The kinds of all events, oldest first."""
    with registry.snapshot() as uow:
        return [event.kind for event in events.read_after(uow, 0, limit=1_000)]
