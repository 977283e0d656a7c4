"""What the desk stands on: the open registry and the rules, put into the application once and found by every route."""

from dataclasses import dataclass, field

from starlette.requests import Request

from mpi.registry.registry import Registry
from mpi.services.attempts import Attempts
from mpi.services.neighbourhood import OnlineRules

ATTEMPTS_OF_AN_ADDRESS, _ATTEMPTS_SECONDS = 30, 900.0
"""How often one address may fail to sign in, whatever the names, and within which time."""


def _by_address() -> Attempts:
    return Attempts(most=ATTEMPTS_OF_AN_ADDRESS, seconds=_ATTEMPTS_SECONDS)


@dataclass(frozen=True, slots=True)
class DeskServices:
    """The registry and the rules of a desk; `sign_ins` counts refused sign-ins by address."""

    registry: Registry
    rules: OnlineRules
    sign_ins: Attempts = field(default_factory=_by_address)


def desk(request: Request) -> DeskServices:
    """The services of the application that answers a request."""
    services: DeskServices = request.app.state.desk
    return services
