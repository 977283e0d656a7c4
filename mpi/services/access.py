"""Whether somebody may do something. Every service of the desk asks here first, whichever shell called it."""

from mpi.domain.errors import MissingRightError
from mpi.domain.review import Actor, Right


def require(actor: Actor, right: Right) -> None:
    """Raises MissingRightError, with the right in its metadata, where the actor's role does not have it."""
    if not actor.may(right):
        raise MissingRightError(
            f"the role '{actor.role.value}' does not have the right '{right.value}'", metadata={"right": right.value}
        )
