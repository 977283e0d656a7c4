"""The rules in force and explanations of pairs, as messages."""

import math

from mpi.domain.model import BlockingRule, Comparison, FrequencyCap, Level, LinkageModel, VetoEffect
from mpi.identity.v1 import identity_service_pb2 as service_pb2
from mpi.identity.v1 import match_pb2
from mpi.rpc.convert import put_explanation, put_thresholds
from mpi.rpc.tokens import Tokens
from mpi.services.explain import PairExplanation

VETO_EFFECTS = {
    VetoEffect.FORBID: match_pb2.VETO_EFFECT_FORBID,
    VetoEffect.HOLD: match_pb2.VETO_EFFECT_HOLD,
    VetoEffect.APART: match_pb2.VETO_EFFECT_APART,
}
VERDICTS = {
    "link": match_pb2.PAIR_VERDICT_LINK,
    "review": match_pb2.PAIR_VERDICT_REVIEW,
    "apart": match_pb2.PAIR_VERDICT_APART,
}


def linkage_rules(model: LinkageModel, *, records: int, prior: float) -> match_pb2.LinkageRules:
    """A model with the prior, in bits, of so many records in play."""
    assert model.parameters is not None
    message = match_pb2.LinkageRules(
        family=model.family,
        version=model.version,
        digest=model.digest,
        records_per_person=model.parameters.records_per_person,
        records_in_play=records,
        prior=prior,
        comparisons=[_comparison(model, each) for each in model.comparisons],
        blocking_rules=[_blocking_rule(each) for each in model.blocking],
        vetoes=[match_pb2.Veto(name=veto.name, effect=VETO_EFFECTS[veto.effect]) for veto in model.vetoes],
        frequency_caps=[_frequency_cap(each) for each in model.frequency_caps],
    )
    put_thresholds(message.thresholds, model.thresholds)
    return message


def _comparison(model: LinkageModel, comparison: Comparison) -> match_pb2.Comparison:
    levels = [_level(model, comparison, level) for level in comparison.levels]
    return match_pb2.Comparison(name=comparison.name, levels=levels)


def _level(model: LinkageModel, comparison: Comparison, level: Level) -> match_pb2.ComparisonLevel:
    message = match_pb2.ComparisonLevel(label=level.label, is_null=level.is_null)
    if level.tf_column is not None:
        message.term_frequency_column = level.tf_column
    assert model.parameters is not None
    trained = model.parameters.levels.get((comparison.name, level.label))
    if not level.is_null and trained is not None:
        message.m_probability, message.u_probability = trained.m, trained.u
        message.weight = math.log2(trained.m / trained.u)
    return message


def _blocking_rule(rule: BlockingRule) -> match_pb2.BlockingRule:
    return match_pb2.BlockingRule(name=rule.name, columns=rule.columns, refining_columns=rule.refine, limit=rule.limit)


def _frequency_cap(cap: FrequencyCap) -> match_pb2.FrequencyCap:
    return match_pb2.FrequencyCap(column=cap.column, per_columns=cap.per, limit=cap.limit)


def explain_response(found: PairExplanation, model: LinkageModel, tokens: Tokens) -> service_pb2.ExplainMatchResponse:
    """What `ExplainMatch` answers."""
    response = service_pb2.ExplainMatchResponse(
        verdict=VERDICTS[found.verdict],
        vetoes=found.waterfall.vetoes,
        same_person=found.same_person,
        left_enterprise_id=found.left.enterprise_id,
        right_enterprise_id=found.right.enterprise_id,
        capped_columns=found.capped,
        records_in_play=found.records,
        rule_version=found.rule_version,
        consistency_token=tokens.consistency(found.revision),
    )
    put_explanation(response.explanation, found.waterfall)
    put_thresholds(response.thresholds, model.thresholds)
    return response
