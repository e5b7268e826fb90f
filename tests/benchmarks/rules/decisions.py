"""One account decided under the whole delivered policy, without broker and database, beside the decision by hand."""

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

import orjson

from schemas.envelope import from_kafka
from schemas.events import FACTS
from services.cadence.account import apply_fact
from services.cadence.account.codec import AccountState, decode
from services.cadence.account.events import fact_event
from services.cadence.evaluation import evaluate_account
from services.cadence.policy.load import SHIPPED, load_policy
from services.cadence.portfolio import Portfolio
from tests.benchmarks import peer_rules
from tests.benchmarks.events import NOW, portfolio
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.benchmarks.rules.timing import in_turn


class StampedValue(NamedTuple):
    """An account as we know it, and as the peer does."""

    account_id: str
    account_state: AccountState
    state: peer_rules.State


def run(*, quick: bool) -> list[Figure]:
    policy, nobody = load_policy(SHIPPED), Portfolio(generation=1)
    spent = in_turn(
        {
            "ours": lambda known: evaluate_account(
                policy, known.account_state.facts, known.account_state.issued, nobody, NOW
            ),
            "by hand": lambda known: peer_rules.evaluate_account(known.account_id, known.state, NOW),
        },
        list(known_accounts(300 if quick else 3_000)),
        rounds=4 if quick else 10,
    )
    ours, peer = spent["ours"], spent["by hand"]
    what = f"an account decided under the delivered policy ({len(policy.rules)} rules)"
    return [
        Figure(what, median(ours), median(peer), ratio_of_rounds(ours, peer), "us", "a few rules by hand")
    ]


def known_accounts(many: int) -> Iterator[StampedValue]:
    """The book of the engine's benchmark, folded."""
    found: dict[str, StampedValue] = {}
    for message in portfolio(many):
        envelope = from_kafka(message.headers, message.value)
        known = found.get(envelope.subject)
        if known is None:
            known = StampedValue(envelope.subject, decode(envelope.subject, None), {})
            found[envelope.subject] = known
        letter = FACTS[envelope.type].model_validate_json(envelope.data)
        apply_fact(known.account_state.facts, fact_event(envelope, letter))
        kind = envelope.type.removeprefix("drumbeat.").removesuffix(".v1")
        peer_rules.apply_fact(known.state, kind, orjson.loads(envelope.data), envelope.time)
    yield from found.values()
