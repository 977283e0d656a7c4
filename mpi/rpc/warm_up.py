"""Loading everything that answers calls before the first call comes, and before processes are forked to share it."""

import gc
import tempfile
from pathlib import Path

from mpi.domain.model import LinkageModel
from mpi.domain.records import RecordKey, SourceRecord
from mpi.matching.scorer import Scorer
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret
from mpi.rules.cases import CASES, PairCase, load_cases
from mpi.services.index_keys import check_keys
from mpi.services.match import Matcher
from mpi.services.neighbourhood import OnlineRules
from mpi.services.resolution import ResolveRequest
from mpi.services.resolve import Resolver

_PAIRS = 4


def warm_up(scorer: Scorer, rules_folder: Path) -> None:
    """Resolve and match some of the rules' own cases in a registry that is thrown away: every kernel is loaded then.

    Opens no connection and starts no thread that outlives it. Rules without cases are left to warm up by themselves.
    """
    records = _records(rules_folder, scorer.model)
    secret = RegistrySecret.generate()
    with tempfile.TemporaryDirectory(prefix="mpi-warm-up-") as folder:
        url = f"sqlite:///{folder}/registry.db"
        with Registry.open(url, secret=secret, create=True) as registry:
            rules = OnlineRules(scorer, registry.secret)
            check_keys(registry, scorer)
            resolver = Resolver(registry, rules)
            for number, record in enumerate(records):
                resolver.resolve([ResolveRequest(str(number), b"", record, lambda _resolution: b"")])
            matcher = Matcher(registry, rules)
            for record in records[:2]:
                matcher.match(record, limit=1, explain=True)
    # What is loaded stays where it is, so that forked processes go on sharing it.
    gc.collect()
    gc.freeze()


def _records(folder: Path, model: LinkageModel) -> list[SourceRecord]:
    if not (folder / CASES).exists():
        return []
    pairs = [case for case in load_cases(folder, model) if isinstance(case, PairCase)][:_PAIRS]
    return [
        SourceRecord(RecordKey("case", f"{number}-{side}"), values)
        for number, pair in enumerate(pairs)
        for side, values in (("left", pair.left), ("right", pair.right))
    ]
