"""Every method of IdentityService: a checked request becomes one call of one service, its answer a message's bytes."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTimeError
from dataclasses import dataclass

from google.protobuf.message import Message

from mpi.domain.errors import OverloadedError
from mpi.identity.v1 import health_record_pb2 as health_pb2
from mpi.identity.v1 import identity_service_pb2 as service_pb2
from mpi.registry.registry import Registry
from mpi.rpc import convert, convert_entries, convert_persons, metrics
from mpi.rpc.batches import Batch
from mpi.rpc.calls import Pool, StreamCall, UnaryCall, UnaryMethod, for_anybody
from mpi.rpc.convert_rules import explain_response, linkage_rules
from mpi.rpc.draining import Drain
from mpi.rpc.errors import Blame, DeadlinePassedError, DrainingError
from mpi.rpc.metrics import BlockingMeter
from mpi.rpc.tokens import Tokens, digest_of
from mpi.rpc.validation import check
from mpi.rpc.watching import Watching
from mpi.services import entries
from mpi.services.enquire import person_as_of
from mpi.services.explain import explain_online
from mpi.services.gather import Gatherer
from mpi.services.index_keys import check_keys
from mpi.services.lookup import look_up
from mpi.services.match import Matcher
from mpi.services.neighbourhood import OnlineRules
from mpi.services.resolution import Resolution, ResolveRequest
from mpi.services.resolve import VERB as RESOLVE
from mpi.services.resolve import Resolver
from mpi.services.rules_in_force import rules_in_force
from mpi.services.watch import Watch
from mpi.services.withdraw import VERB as WITHDRAW
from mpi.services.withdraw import withdraw

SERVICE = service_pb2.DESCRIPTOR.services_by_name["IdentityService"].full_name
"""Full name of the service."""

USUAL_CANDIDATES, USUAL_ENTRIES = 10, 100
ITEMS_IN_WORK = 192
"""Items of one stream that are in work, or answered and not yet read."""

MATCHING_THREADS = 4
"""Threads that match the items of batches."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the methods call: one registry, the rules made ready for single records, and what was made of both."""

    registry: Registry
    rules: OnlineRules
    matcher: Matcher
    gatherer: Gatherer
    watch: Watch

    @classmethod
    def over(cls, registry: Registry, rules: OnlineRules) -> "Services":
        """The services of a registry. Raises RegistryError, RulesNotReadyError when its keys are not of these rules."""
        check_keys(registry, rules.scorer)
        with registry.look() as reading:
            rules.load(reading)
        gatherer = Gatherer(Resolver(registry, rules), observe=metrics.gathered)
        return cls(registry, rules, Matcher(registry, rules), gatherer, Watch(registry))


class Identity:
    """The methods of the service over one set of services. Safe to share between threads; close it last."""

    def __init__(self, services: Services) -> None:
        self.drain = Drain()
        self._services = services
        self._registry = services.registry
        self._model = services.rules.model
        self._tokens = Tokens(services.registry.secret)
        self._record = convert.RecordReader(self._model)
        self._watching = Watching(services.watch, self._tokens, self.drain)
        self._matching = ThreadPoolExecutor(MATCHING_THREADS, thread_name_prefix="mpi-matching")
        self._matched = BlockingMeter("Match")
        self._resolved = BlockingMeter("Resolve")

    @property
    def services(self) -> Services:
        """What the methods call."""
        return self._services

    @property
    def recent_keys(self) -> int:
        """How many stored keys are kept in memory."""
        return len(self._services.rules.keys)

    def probe(self) -> None:
        """Asks the registry whether it can serve by these rules. Raises RegistryError."""
        check_keys(self._registry, self._services.rules.scorer)

    def close(self) -> None:
        """Finish what was taken in and give everything back."""
        self._matching.shutdown()
        self._services.gatherer.close()
        self._watching.close()
        self._registry.close()

    def unary_calls(self) -> dict[str, UnaryCall]:
        """Methods with one request and one reply, by name."""
        person, record = Blame("UNKNOWN_PERSON", "name"), Blame("UNKNOWN_RECORD", "record.key")
        table: dict[str, tuple[type[Message], UnaryMethod, Blame]] = {
            "Match": (service_pb2.MatchRequest, self.match, record),
            "Resolve": (service_pb2.ResolveRequest, self.resolve, record),
            "ExplainMatch": (service_pb2.ExplainMatchRequest, self.explain, Blame("UNKNOWN_RECORD", "right")),
            "LookUpIdentifier": (service_pb2.LookUpIdentifierRequest, self.look_up, Blame("UNKNOWN_IDENTIFIER")),
            "GetPerson": (service_pb2.GetPersonRequest, self.get_person, person),
            "WithdrawRecord": (service_pb2.WithdrawRecordRequest, self.withdraw, Blame("UNKNOWN_RECORD", "record")),
            "RegisterHealthRecordEntries": (
                health_pb2.RegisterHealthRecordEntriesRequest,
                self.register_entries,
                Blame("UNKNOWN_RECORD", "entries"),
            ),
            "ListHealthRecordEntries": (
                health_pb2.ListHealthRecordEntriesRequest,
                self.list_entries,
                Blame("UNKNOWN_PERSON", "parent"),
            ),
            "GetActiveRules": (service_pb2.GetActiveRulesRequest, self.active_rules, person),
        }
        return {
            name: UnaryCall(name, for_anybody(request, method), blame)
            for name, (request, method, blame) in table.items()
        }

    def batch_calls(self, threads: Pool) -> dict[str, StreamCall]:
        """Methods that take and give a stream of items, by name."""
        table: dict[str, tuple[type[Message], Callable[..., Future[bytes]]]] = {
            "BatchMatch": (service_pb2.BatchMatchRequest, self._start_match),
            "BatchResolve": (service_pb2.BatchResolveRequest, self._start_resolve),
        }
        calls = {}
        for name, (item, start) in table.items():
            batch = Batch(name, item, start, self.drain, room=ITEMS_IN_WORK)
            calls[name] = StreamCall(name, batch.answer, Blame("UNKNOWN_RECORD", "request"), threads)
        return calls

    def watch_calls(self, threads: Pool) -> dict[str, StreamCall]:
        """Methods that answer one request with a stream, by name."""
        name = "WatchPersons"
        return {name: StreamCall(name, self._watching.answer, Blame("UNKNOWN_PERSON", "start"), threads)}

    def match(self, request: service_pb2.MatchRequest, _seconds: float = 0.0) -> bytes:
        """Who may this record be?"""
        found = self._services.matcher.match(
            self._record(request.record),
            limit=request.max_candidates or USUAL_CANDIDATES,
            explain=request.include_explanations,
            include_certainly_not=request.include_certainly_not,
            at_least=self._tokens.at_least(request.consistency_token),
        )
        self._matched(found.blocking.records, found.blocking.bounded_rules)
        return convert.match_response(found, self._tokens).SerializeToString()

    def resolve(self, request: service_pb2.ResolveRequest, seconds: float) -> bytes:
        """Register a record: the bytes of the answer, which are those of the first time for a repeat."""
        answer = self._resolving(request)
        try:
            return answer.result(seconds)
        except NotInTimeError:
            if answer.cancel():
                raise DeadlinePassedError("the deadline passed before the record was taken up") from None
            raise DeadlinePassedError("the deadline passed while the record was written; try again to learn") from None

    def _resolving(self, request: service_pb2.ResolveRequest) -> "Future[bytes]":
        digest = digest_of(RESOLVE, request.SerializeToString(deterministic=True))
        wanted = ResolveRequest(request.request_id, digest, self._record(request.record), self._encode_resolution)
        try:
            return self._services.gatherer.submit(wanted)
        except OverloadedError:
            if self.drain.begun:
                raise DrainingError("the server is going down") from None
            raise

    def _encode_resolution(self, done: Resolution) -> bytes:
        self._resolved(done.blocking.records, done.blocking.bounded_rules)
        return convert.resolve_response(done, self._tokens).SerializeToString()

    def _start_match(self, item: service_pb2.BatchMatchRequest) -> "Future[bytes]":
        check(item)
        return self._matching.submit(self.match, item.request)

    def _start_resolve(self, item: service_pb2.BatchResolveRequest) -> "Future[bytes]":
        check(item)
        return self._resolving(item.request)

    def explain(self, request: service_pb2.ExplainMatchRequest, _seconds: float) -> bytes:
        """Why are two records one person, or not?"""
        found = explain_online(
            self._registry,
            self._services.rules,
            convert.record_key(request.left),
            convert.record_key(request.right),
            at_least=self._tokens.at_least(request.consistency_token),
        )
        return explain_response(found, self._model, self._tokens).SerializeToString()

    def look_up(self, request: service_pb2.LookUpIdentifierRequest, _seconds: float) -> bytes:
        """Who bears this identifier?"""
        given = request.WhichOneof("identifier")
        found = look_up(
            self._registry,
            self._services.rules,
            key=convert.record_key(request.source_record) if given == "source_record" else None,
            citizen_id=request.citizen_id if given == "citizen_id" else None,
            health_insurance_number=request.health_insurance_number if given == "health_insurance_number" else None,
            at_least=self._tokens.at_least(request.consistency_token),
        )
        return convert_persons.look_up_response(found, self._tokens).SerializeToString()

    def get_person(self, request: service_pb2.GetPersonRequest, _seconds: float) -> bytes:
        """Who is, or was, this person?"""
        given = request.WhichOneof("as_of")
        view = person_as_of(
            self._registry,
            self._model,
            convert_persons.enterprise_id(request.name),
            revision=request.as_of_revision if given == "as_of_revision" else None,
            time=convert_persons.moment(request.as_of_time) if given == "as_of_time" else None,
            at_least=self._tokens.at_least(request.consistency_token),
        )
        return convert_persons.person_response(view, self._tokens, is_now=given is None).SerializeToString()

    def register_entries(self, request: health_pb2.RegisterHealthRecordEntriesRequest, _seconds: float) -> bytes:
        """Register pointers: the bytes of the answer, which are those of the first time for a repeat."""
        return entries.register(
            self._registry,
            request.request_id,
            digest_of(entries.VERB, request.SerializeToString(deterministic=True)),
            [convert_entries.entry(each) for each in request.entries],
            lambda done: convert_entries.register_response(done, self._tokens).SerializeToString(),
        )

    def list_entries(self, request: health_pb2.ListHealthRecordEntriesRequest, _seconds: float) -> bytes:
        """One page of the lifelong health record of a person."""
        question = convert_entries.question(request)
        page = entries.of_person(
            self._registry,
            convert_persons.enterprise_id(request.parent),
            kinds={convert_entries.kind(each) for each in request.kinds},
            since=convert_entries.day(request.start_date) if request.HasField("start_date") else None,
            until=convert_entries.day(request.end_date) if request.HasField("end_date") else None,
            page_size=min(request.page_size or USUAL_ENTRIES, entries.MOST_A_PAGE),
            after=self._tokens.position(question, request.page_token) if request.page_token else None,
            at_least=self._tokens.at_least(request.consistency_token),
        )
        return convert_entries.list_response(page, question, self._tokens).SerializeToString()

    def withdraw(self, request: service_pb2.WithdrawRecordRequest, _seconds: float) -> bytes:
        """Take a record back: the bytes of the answer, which are those of the first time for a repeat."""
        return withdraw(
            self._registry,
            request_id=request.request_id,
            payload_digest=digest_of(WITHDRAW, request.SerializeToString(deterministic=True)),
            key=convert.record_key(request.record),
            reason=request.reason,
            encode=lambda done: convert_persons.withdraw_response(done, self._tokens).SerializeToString(),
        )

    def active_rules(self, _request: service_pb2.GetActiveRulesRequest, _seconds: float) -> bytes:
        """Which rules weigh?"""
        found = rules_in_force(self._registry, self._services.rules)
        rules = linkage_rules(found.model, records=found.records, prior=found.prior)
        return service_pb2.GetActiveRulesResponse(rules=rules).SerializeToString()
