"""Telling: one event into what is believed of an account, for whoever works on memories that no transaction holds."""

from services.rules_engine.application.hear import ONLY_ISSUED
from services.rules_engine.domain.codec import Belief
from services.rules_engine.domain.facts import FactEvent, fold
from services.rules_engine.domain.issued import TYPES, hear


def tell(belief: Belief, event: FactEvent) -> None:
    """Into the facts, into what was issued, or into both, as the consumer does."""
    if event.type in TYPES:
        hear(belief.issued, event)
    if event.type not in ONLY_ISSUED:
        fold(belief.facts, event)
