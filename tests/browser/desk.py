"""A desk that a browser can visit: the real application on a real server, over a registry that the city fills.

The server runs in a thread of the test's process, so that a test can look into the registry and step in between.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from mpi.domain.model import LinkageModel
from mpi.domain.review import Actor, Role
from mpi.matching.scorer import Scorer
from mpi.registry.registry import Registry
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root
from mpi.rules.load import load_model
from mpi.services.accounts import choose_language
from mpi.services.neighbourhood import OnlineRules
from mpi.services.sessions import sign_in
from reviewer_ui.app import create_app
from reviewer_ui.wiring import DeskServices
from tests.online.desk import Desk as OnlineDesk
from tests.reviewer_ui.running_desk import PASSWORD, serving_app
from tests.services.stewardship.stewards import Stewards

ROLES = {**{role.value: role for role in Role}, "steward2": Role.STEWARD}
"""The role of every account of `people_at_the_desk`, by the account's name."""


DEFECTIVE = "/defective"
"""A page of every desk here that cannot be made: what it raises holds personal data, as such exceptions may."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk that answers at `address`."""

    address: str
    registry: Registry
    rules: OnlineRules

    def url(self, path: str) -> str:
        """The whole address of a page."""
        return self.address + path

    def actor(self, name: str) -> Actor:
        """Somebody who has an account."""
        return Actor(name, ROLES[name])

    def elsewhere(self) -> Stewards:
        """Colleagues who do not use this desk's pages: they call the services, as those who come by gRPC do."""
        return Stewards(OnlineDesk(self.registry, scorer()))

    def session(self, name: str, language: str = "vi") -> str:
        """The secret of a new session; from then on the account reads in this language."""
        choose_language(self.registry, self.actor(name), language)
        return sign_in(self.registry, name, PASSWORD).secret


@cache
def model() -> LinkageModel:
    """The shipped rules."""
    return load_model(Catalogue(default_root()).find("vn_person"))


@cache
def scorer() -> Scorer:
    """The shipped rules, made ready; once a process."""
    return Scorer(model())


def _defective() -> None:
    raise KeyError("Trần Thị Lan, 079184000123")


@contextmanager
def running_desk(registry: Registry) -> Iterator[Desk]:
    """A desk for as long as the block lasts."""
    rules = OnlineRules(scorer(), registry.secret)
    app = create_app(DeskServices(registry, rules), secure=False)
    app.add_api_route(DEFECTIVE, _defective)
    with serving_app(app) as address:
        yield Desk(address, registry, rules)
