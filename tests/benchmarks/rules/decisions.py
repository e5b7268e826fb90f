"""One account decided under the whole delivered policy, without broker and database, beside the decision by hand."""

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

import orjson

from schemas.envelope import from_kafka
from schemas.events import FACTS
from services.rules_engine.adapters.policy_files import load_policy
from services.rules_engine.domain.book import Book
from services.rules_engine.domain.codec import Belief, decode
from services.rules_engine.domain.facts import fold
from services.rules_engine.domain.plan import decide
from services.rules_engine.entrypoints.translate import heard
from services.rules_engine.settings import SHIPPED
from tests.benchmarks import peer_rules
from tests.benchmarks.events import NOW, book
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.benchmarks.rules.timing import in_turn


class Known(NamedTuple):
    """An account as we know it, and as the peer does."""

    account_id: str
    belief: Belief
    state: peer_rules.State


def run(*, quick: bool) -> list[Figure]:
    policy, nobody = load_policy(SHIPPED), Book(epoch=1)
    spent = in_turn(
        {
            "ours": lambda known: decide(policy, known.belief.facts, known.belief.issued, nobody, NOW),
            "by hand": lambda known: peer_rules.decide(known.account_id, known.state, NOW),
        },
        list(known_accounts(300 if quick else 3_000)),
        rounds=4 if quick else 10,
    )
    ours, peer = spent["ours"], spent["by hand"]
    what = f"an account decided under the delivered policy ({len(policy.rules)} rules)"
    return [
        Figure(what, median(ours), median(peer), ratio_of_rounds(ours, peer), "us", "a few rules by hand")
    ]


def known_accounts(many: int) -> Iterator[Known]:
    """The book of the engine's benchmark, folded."""
    found: dict[str, Known] = {}
    for message in book(many):
        envelope = from_kafka(message.headers, message.value)
        known = found.get(envelope.subject)
        if known is None:
            known = Known(envelope.subject, decode(envelope.subject, None), {})
            found[envelope.subject] = known
        letter = FACTS[envelope.type].model_validate_json(envelope.data)
        fold(known.belief.facts, heard(envelope, letter, None).event)
        kind = envelope.type.removeprefix("drumbeat.").removesuffix(".v1")
        peer_rules.fold(known.state, kind, orjson.loads(envelope.data), envelope.time)
    yield from found.values()
