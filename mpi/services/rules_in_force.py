"""The rules that single records are weighed by, with the prior of the registry as it stands. Read only."""

from dataclasses import dataclass

from mpi.domain.model import LinkageModel
from mpi.registry import online
from mpi.registry.registry import Registry
from mpi.services.neighbourhood import OnlineRules


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """A model, how many records are in play, and the prior in bits that follows from it."""

    model: LinkageModel
    records: int
    prior: float


def rules_in_force(registry: Registry, rules: OnlineRules) -> RulesInForce:
    """The rules as they stand to the registry now. Raises RegistryError."""
    with registry.snapshot() as uow:
        records = online.numbers_now(uow).records
    return RulesInForce(rules.model, records, rules.scorer.prior(records))
