"""Findings: what is sound and yet hardly meant, each with its place, and how it is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.cadence.account import Plain
from services.cadence.policy import Location

Kind = Literal[
    "below-minimum",
    "never-fires",
    "shadowed",
    "contradiction",
    "oscillation",
    "blackout",
    "purpose",
    "unused",
    "limit",
    "unfinished",
]
KINDS: Mapping[Kind, str] = {
    "below-minimum": "An account that has not churned may hear from us less than once in 30 days",
    "never-fires": "A condition that no account can meet, given the segments, the stages and how colours are derived; "
    "a step whose window lies where its condition cannot hold",
    "shadowed": "A rule that another one always comes before or that says the same again; a segment or stage that is "
    "never reached; a part of a condition that changes nothing",
    "contradiction": "Rules at odds: a red account led by a rhythm that gives way, two owners of equal right, a deadline "
    "outside its window, a cool-down that makes a cap idle, a minimum that is never needed",
    "oscillation": "A rule that its own effect switches off and on again, without news from outside",
    "blackout": "A touchpoint that a season can swallow whole, a season too long for what is never skipped or for a "
    "word a month, seasons that together leave no day",
    "purpose": "A touchpoint without a purpose or an outcome of its own, or led by somebody who cannot hold it",
    "unused": "A kind of touchpoint that no rule asks for",
    "limit": "A limit that holds nothing back, or that rhythms and timelines use up by themselves",
    "unfinished": "The policy is too large, or its conditions are too hard, for all of it to be looked through",
}
"""Every kind of finding, in a line."""
Proof = Literal["analysis", "search"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`proof`: `analysis` covers all accounts, or shows one (`witness`); `search` found it among many that were tried."""

    kind: Kind
    place: Location
    rule: str
    message: str
    proof: Proof = "analysis"
    witness: Mapping[str, Plain] | None = None

    def __str__(self) -> str:
        how = "proved by analysis" if self.proof == "analysis" else "found by search"
        facts = f": {shown(self.witness)}" if self.witness else ""
        where = f"{self.place.file}:{self.place.line}"
        return f"{where}: {self.kind}: {self.rule}: {self.message} ({how}{facts})"

    def document(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "kind": self.kind,
            "file": self.place.file,
            "line": self.place.line,
            "rule": self.rule,
            "message": self.message,
            "proof": self.proof,
            "witness": None if self.witness is None else dict(self.witness),
        }


def shown(facts: Mapping[str, Plain]) -> str:
    """Facts as a reader would say them; what is unknown or false goes without saying."""
    told = [
        f"{name} {str(value).lower() if isinstance(value, bool) else value}"
        for name, value in facts.items()
        if value is not None and value is not False
    ]
    return ", ".join(told) or "nothing is known of the account"
