"""Around new records: the people they may be, as one small table for the scoring and clustering that bulk runs use.

What a bulk run finds by sorting keys in memory, this finds by looking the records' keys up in the registry.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.batch.link import DOUBT, overlays
from mpi.batch.pairs import widening
from mpi.domain.model import FrequencyCap
from mpi.domain.records import RecordKey, SourceRecord
from mpi.matching.blocking import blocking_plan
from mpi.matching.kernel import APART, as_rows
from mpi.matching.scorer import Scorer, Scores
from mpi.matching.sharing import shared_too_widely, void_values
from mpi.matching.stored_keys import blocks_of, choose_candidates, stored_keys
from mpi.persons.clusters import Constraints, Edges, cluster, no_constraints
from mpi.persons.judged import Judged
from mpi.persons.placement import Decided, Plan, place
from mpi.persons.suspects import find_suspects
from mpi.registry import judgements, online
from mpi.registry.blocking_keys import StoredKeys, capped_values
from mpi.registry.online import Members, Numbers, OpenQuestion, PlacedRows
from mpi.registry.persons import OpenLinks
from mpi.registry.unit_of_work import Readable
from mpi.services.featurise import stored_columns
from mpi.services.index_keys import keys_name
from mpi.standardise.record import standardise_record

Integers = NDArray[np.int64]
Rows = NDArray[np.uint8]
Capped = dict[str, NDArray[np.uint64]]

UNNUMBERED = 1 << 60
"""People that get their number only when they are written are numbered from here."""

_CAPPED_SECONDS = 30.0
_OWNER_SHIFT = 44
_NOBODY = -1
_NONE = np.empty(0, dtype=np.int64)
_NO_CODES = np.empty(0, dtype=np.uint64)


class OnlineRules:
    """A linkage model made ready for single records: compiled once a process, shared by its threads.

    `index_keys.check_keys` says whether a registry has keys of these rules.
    """

    def __init__(self, scorer: Scorer, secret: bytes) -> None:
        model = scorer.model
        self.scorer = scorer
        self.model = model
        self.secret = secret
        self.plan = blocking_plan(model, scorer.layout)
        self.keys_name = keys_name(scorer)
        self.rule_of_slot = self.plan.rule_of_slot()
        self._stored = stored_columns(model)
        self._limits = np.array([rule.limit for rule in model.blocking], dtype=np.int64)[self.rule_of_slot]
        self.keys = StoredKeys()
        self._capped: Capped = {}
        self._capped_until = 0.0
        # the slots of rules whose only column has a frequency cap: their blocks are the holders of one value
        caps = {(cap.column,): cap for cap in model.frequency_caps}
        self.cap_of_slot = [caps.get(model.blocking[rule].columns) for rule in self.rule_of_slot.tolist()]

    def load(self, reading: Readable) -> None:
        """Read what is kept in memory of a registry, so that no call has to wait for it."""
        self.keys.near(reading, _NONE)
        self.known_capped(reading)

    def feature_rows(self, records: Sequence[SourceRecord]) -> Rows:
        """Feature rows, uint8 (n, width), of source records."""
        standard = [standardise_record(record, self.model.fields) for record in records]
        return self.scorer.pack_records(standard, self.secret)

    def stored_values(self, record: SourceRecord) -> dict[str, str]:
        """What of a record is stored: the columns that a bulk run stores of a row, empty ones left out."""
        given = {**record.values, "recorded_at": record.recorded_at}
        return {name: value for name in self._stored if (value := given.get(name))}

    def lock_keys(self, rows: Rows) -> set[int]:
        """The blocks that records belong to: whoever writes into one excludes others from it."""
        keys = stored_keys(self.plan, rows, self.secret)
        return set(blocks_of(keys[keys != 0]).tolist())

    def limits(self, records: int) -> Integers:
        """The block limit of each slot of keys in a registry of so many records, int64 (slots,)."""
        return (self._limits * widening(records)).astype(np.int64)

    def known_capped(self, reading: Readable) -> Capped:
        """The values known to be shared too widely, read again every half minute."""
        now = time.monotonic()
        if now >= self._capped_until:
            self._capped = capped_values(reading)
            self._capped_until = now + _CAPPED_SECONDS
        return self._capped

    def void(self, rows: Rows, capped: Capped) -> None:
        """Make values that are shared too widely missing, in place."""
        for column, codes in capped.items():
            void_values(rows, self.model, self.scorer.layout, column, codes)

    def worth_weighing(self, scores: Scores) -> Integers:
        """The places of pairs that may matter, as a bulk run has it."""
        worth = (scores.weights >= self.model.thresholds.review - DOUBT) & (scores.vetoes & APART == 0)
        return np.flatnonzero(worth)

    def without(self, rows: Rows, capped: Capped) -> Rows:
        """Rows with such values missing."""
        if not capped:
            return rows
        rows = rows.copy()
        self.void(rows, capped)
        return rows


@dataclass(frozen=True, slots=True)
class Newcomers:
    """k records to be placed: feature rows uint8 (k, width), their numbers and people int64 (k,), -1 where there is
    none yet."""

    rows: Rows
    record_ids: Integers
    person_ids: Integers


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A table of n records: the k newcomers first, then all records of the people that they may be.

    `edges` are pairs worth weighing, with their codes int8 (e, comparisons); `keys` uint64 (k, slots) are the
    newcomers' stored keys; `names` gives the stored records' own keys by record id. `considered` int64 (k,) counts
    candidate records; `bounded` names, for each newcomer, the rules whose block was too large. `revision` was the
    newest before all this was read; `newly_capped` are values that proved to be shared too widely.
    """

    rows: Rows
    record_ids: Integers
    link_ids: Integers
    person_ids: Integers
    edges: Edges
    codes: NDArray[np.int8]
    constraints: Constraints
    names: dict[int, RecordKey]
    questions: list[OpenQuestion]
    prior: float
    keys: NDArray[np.uint64]
    considered: Integers
    bounded: list[tuple[str, ...]]
    revision: int
    newly_capped: Capped


def look_around(reading: Readable, rules: OnlineRules, new: Newcomers, now: Numbers | None = None) -> Surroundings:
    """Find the people that newcomers may be. `now` was read before anything else that the caller goes by."""
    count = len(new.rows)
    near = _Near(reading, rules, new)
    now = now or near.numbers
    prior = rules.scorer.prior(now.records + count)
    pairs = _scored_pairs(reading, rules, near, prior)
    stored = {record_id for record_id in new.record_ids.tolist() if record_id >= 0}
    known = _people_of(reading, rules, near.capped, sorted(stored | set(pairs.candidates.tolist())))
    members = known.placed
    old = slice(None) if not stored else np.flatnonzero(~np.isin(members.record_ids, new.record_ids))
    record_ids = np.concatenate([new.record_ids, members.record_ids[old]])
    place_of = {record_id: at for at, record_id in enumerate(record_ids.tolist()) if record_id >= 0}
    edges, codes = pairs.edges(place_of)
    table = np.concatenate([near.rows, members.rows[old]])
    asked = _local(place_of, (each.records for each in known.questions))
    edges, codes = _with_asked(rules, table, edges, codes, asked, prior)
    return Surroundings(
        rows=table,
        record_ids=record_ids,
        link_ids=np.concatenate([_links_of(members, new.record_ids), members.link_ids[old]]),
        person_ids=np.concatenate([new.person_ids, members.person_ids[old]]),
        edges=edges,
        codes=codes,
        constraints=_constraints(reading, place_of) if now.judgements else no_constraints(),
        names=known.keys,
        questions=known.questions,
        prior=prior,
        keys=near.keys,
        considered=np.bincount(pairs.considered, minlength=count),
        bounded=near.bounded_rules(),
        revision=now.revision,
        newly_capped=near.newly_capped,
    )


class _Near:
    """The stored entries near the keys of newcomers, and the candidates among them.

    `rows` are the newcomers' with values void that are shared too widely; `capped` are all such values that are known.
    """

    def __init__(self, reading: Readable, rules: OnlineRules, new: Newcomers) -> None:
        self._reading = reading
        self._rules = rules
        self._new = new
        self.capped = rules.known_capped(reading)
        self.newly_capped: Capped = {}
        self.rows = new.rows.copy()
        rules.void(self.rows, self.capped)
        self._read()
        self._void_shared()
        pairs = np.unique(self._owners[self._chosen.queries] << _OWNER_SHIFT | self._chosen.record_ids)
        self.owners, self.record_ids = pairs >> _OWNER_SHIFT, pairs & ((1 << _OWNER_SHIFT) - 1)
        self.candidate_ids = self.record_ids if len(new.rows) == 1 else np.unique(self.record_ids)

    def _read(self) -> None:
        self.keys = stored_keys(self._rules.plan, self.rows, self._rules.secret)
        self._owners, self._slots = np.nonzero(self.keys)
        self._queries = self.keys[self._owners, self._slots].view(np.int64)
        self._entries, self.numbers = self._rules.keys.near(self._reading, self._queries)
        self.limit_of_slot = self._rules.limits(self.numbers.records + len(self.rows))
        limits = self.limit_of_slot[self._slots]
        self._chosen = choose_candidates(self._queries, limits, self._entries.entries, self._entries.starts)

    def bounded_rules(self) -> list[tuple[str, ...]]:
        """For each newcomer the rules whose block was too large to be scored whole."""
        names: list[set[str]] = [set() for _ in self.rows]
        for query in np.flatnonzero(self._chosen.bounded).tolist():
            rule = int(self._rules.rule_of_slot[self._slots[query]])
            names[self._owners[query]].add(self._rules.model.blocking[rule].name)
        return [tuple(sorted(each)) for each in names]

    def _void_shared(self) -> None:
        """Void newcomers' values that turn out to be shared by too many people."""
        caps = self._rules.cap_of_slot
        sizes = self._chosen.sizes.tolist()
        for query, slot in enumerate(self._slots.tolist()):
            cap = caps[slot]
            if cap is not None and sizes[query] >= cap.limit:
                self._judge_sharing(cap, query)
        if self.newly_capped:
            self.capped = {**self.capped}
            for column, codes in self.newly_capped.items():
                self.capped[column] = np.union1d(self.capped.get(column, _NO_CODES), codes)
            self._rules.void(self.rows, self.newly_capped)
            self._read()

    def _judge_sharing(self, cap: FrequencyCap, query: int) -> None:
        """Whether a newcomer's value is held by too many different people, the newcomer among them."""
        layout = self._rules.scorer.layout
        near = self._entries.entries[self._entries.starts[query] : self._entries.starts[query + 1]]
        same = near[blocks_of(near[:, 0]) == blocks_of(self._queries[query : query + 1]), 1]
        holders = np.setdiff1d(same, self._new.record_ids)
        _, stored = online.feature_rows(self._reading, holders, layout=layout.digest, width=layout.width)
        owner = self._owners[query]
        rows = np.concatenate([stored, self.rows[owner : owner + 1]])
        codes = shared_too_widely(rows, self._rules.model, layout, cap)
        if len(codes):
            self.newly_capped[cap.column] = np.union1d(self.newly_capped.get(cap.column, _NO_CODES), codes)


class _Pairs(NamedTuple):
    """Pairs worth weighing: newcomers `left` int64 (e,), and `right` another newcomer, or else -1 and a candidate's
    record id in `candidates`; weights (bits), vetoes, codes. `considered` int64 is the newcomer of every candidate that
    was scored."""

    left: Integers
    right: Integers
    candidates: Integers
    weights: NDArray[np.float64]
    vetoes: NDArray[np.uint8]
    codes: NDArray[np.int8]
    considered: Integers

    def edges(self, place_of: Mapping[int, int]) -> tuple[Edges, NDArray[np.int8]]:
        """The pairs as edges of a table, with their codes; a candidate that belongs to nobody is left out."""
        places = [place_of.get(record_id, _NOBODY) for record_id in self.candidates.tolist()]
        right = np.where(self.right >= 0, self.right, np.array(places, dtype=np.int64))
        there = right >= 0
        edges = Edges(
            self.left[there].astype(np.int32), right[there].astype(np.int32), self.weights[there], self.vetoes[there]
        )
        return edges, self.codes[there]


def _scored_pairs(reading: Readable, rules: OnlineRules, near: _Near, prior: float) -> _Pairs:
    """Score newcomers against their candidates and one another."""
    layout, count = rules.scorer.layout, len(near.rows)
    ids, rows = online.feature_rows(reading, near.candidate_ids, layout=layout.digest, width=layout.width)
    place = np.searchsorted(ids, near.record_ids)
    known = np.append(ids, _NOBODY)[place] == near.record_ids
    left, right = near.owners[known], count + place[known]
    considered = left
    if count > 1:
        mutual = _mutual_pairs(near.keys, near.limit_of_slot)
        left, right = np.concatenate([left, mutual[:, 0]]), np.concatenate([right, mutual[:, 1]])
    table = np.concatenate([near.rows, rules.without(rows, near.capped)])
    scores = rules.scorer.score(table, left.astype(np.int32), right.astype(np.int32), prior=prior)
    kept = rules.worth_weighing(scores)
    right = right[kept]
    return _Pairs(
        left=left[kept],
        right=np.where(right < count, right, _NOBODY),
        candidates=np.append(ids, _NOBODY)[np.where(right < count, -1, right - count)],
        weights=scores.weights[kept],
        vetoes=scores.vetoes[kept],
        codes=scores.codes[kept],
        considered=considered,
    )


def _mutual_pairs(keys: NDArray[np.uint64], limit_of_slot: Integers) -> Integers:
    """Pairs of newcomers that share a block, int64 (p, 2), the smaller first. A large block gives the pairs of
    neighbours in its order only."""
    records, slots = np.nonzero(keys)
    codes = keys[records, slots]
    order = np.argsort(codes, kind="stable")
    records, codes, limits = records[order], codes[order], limit_of_slot[slots[order]]
    blocks = blocks_of(codes)
    pairs: list[Integers] = []
    for step in range(1, len(codes)):
        same = (blocks[step:] == blocks[:-step]) & (step <= limits[step:])
        if not same.any():
            break
        pairs.append(np.stack([records[:-step][same], records[step:][same]], axis=1))
    if not pairs:
        return np.empty((0, 2), dtype=np.int64)
    found = np.sort(np.concatenate(pairs), axis=1)
    return np.unique(found[found[:, 0] != found[:, 1]], axis=0)


def _people_of(reading: Readable, rules: OnlineRules, capped: Capped, record_ids: list[int]) -> Members:
    """What is known of the people of some records and, but for their questions, of those that open questions set
    beside them. A record id of -1 is nobody's."""
    layout = rules.scorer.layout
    wanted = [record_id for record_id in record_ids if record_id >= 0]
    if not wanted:
        return Members(PlacedRows(_NONE, _NONE, _NONE, np.empty((0, layout.width), dtype=np.uint8)), {}, [])
    known = online.people_of(reading, wanted, layout=layout.digest, width=layout.width)
    placed, keys = known.placed, known.keys
    beside = {person for each in known.questions for person in each.people if person >= 0}
    beside -= set(placed.person_ids.tolist())
    if beside:
        more = online.members(reading, sorted(beside), layout=layout.digest, width=layout.width)
        placed, keys = placed.with_more(more.placed), {**keys, **more.keys}
    return Members(placed._replace(rows=rules.without(placed.rows, capped)), keys, known.questions)


def _links_of(members: PlacedRows, record_ids: Integers) -> Integers:
    """The open link of each record, -1 where there is none."""
    if (record_ids < 0).all():
        return record_ids
    link_of = dict(zip(members.record_ids.tolist(), members.link_ids.tolist(), strict=True))
    return np.array([link_of.get(record_id, _NOBODY) for record_id in record_ids.tolist()], dtype=np.int64)


def _local(place_of: Mapping[int, int], pairs: Iterable[tuple[int, int]]) -> NDArray[np.int32]:
    """Pairs of record ids as places in the table, int32 (p, 2); those that are not both there are left out."""
    found = [(place_of[a], place_of[b]) for a, b in pairs if a in place_of and b in place_of]
    return np.array(found, dtype=np.int32).reshape(-1, 2)


def _constraints(reading: Readable, place_of: Mapping[int, int]) -> Constraints:
    judged = judgements.about(reading, list(place_of))
    must, cannot = Judged(judged).constraints(place_of)
    return Constraints(_local(place_of, must), _local(place_of, cannot))


def _with_asked(
    rules: OnlineRules, rows: Rows, edges: Edges, codes: NDArray[np.int8], asked: NDArray[np.int32], prior: float
) -> tuple[Edges, NDArray[np.int8]]:
    """The edges and those of open questions that are not among them."""
    if not len(asked):
        return edges, codes
    have = set(zip(*(np.sort(np.stack(edges[:2]), axis=0).tolist()), strict=True))
    more = np.array([pair for pair in np.sort(asked, axis=1).tolist() if tuple(pair) not in have], dtype=np.int32)
    if not len(more):
        return edges, codes
    left, right = np.ascontiguousarray(more[:, 0]), np.ascontiguousarray(more[:, 1])
    scores = rules.scorer.score(rows, left, right, prior=prior)
    kept = rules.worth_weighing(scores)
    joined = Edges(
        np.concatenate([edges.left, left[kept]]),
        np.concatenate([edges.right, right[kept]]),
        np.concatenate([edges.weights, scores.weights[kept]]),
        np.concatenate([edges.vetoes, scores.vetoes[kept]]),
    )
    return joined, np.concatenate([codes, scores.codes[kept]])


def decide(rules: OnlineRules, around: Surroundings, newcomers: int) -> Decided:
    """Place newcomers as a bulk run would place them in this table; new people are numbered from UNNUMBERED."""
    thresholds = rules.model.thresholds
    clusters = cluster(
        rules.scorer.program,
        as_rows(around.rows),
        around.edges,
        persons=around.person_ids,
        constraints=around.constraints,
        thresholds=thresholds,
        prior=around.prior,
    )
    plan = place(clusters, around.edges, around.person_ids, next_person=UNNUMBERED, thresholds=thresholds)
    changed = np.flatnonzero(around.person_ids[:newcomers] >= 0)
    contradicting = overlays(rules.scorer, around.rows, around.person_ids, changed, around.prior)
    suspects = find_suspects(
        rules.scorer,
        around.rows,
        plan.person_of,
        np.arange(len(around.rows)) < newcomers,
        must_link=around.constraints.must_link,
        prior=around.prior,
    )
    return Decided(plan, around.edges, around.codes, clusters, contradicting, suspects)


def numbered(plan: Plan, first_person: int) -> Plan:
    """The plan with real numbers for new people."""
    shift = first_person - UNNUMBERED
    person_of = np.where(plan.person_of >= UNNUMBERED, plan.person_of + shift, plan.person_of)
    return replace(plan, person_of=person_of, new_persons=plan.new_persons + shift)


def links_before(around: Surroundings) -> OpenLinks:
    """The open links of the table's records, in the order of record ids."""
    linked = np.flatnonzero(around.link_ids >= 0)
    order = linked[np.argsort(around.record_ids[linked])]
    return OpenLinks(around.link_ids[order], around.record_ids[order], around.person_ids[order])
