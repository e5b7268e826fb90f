"""Findings of the linter: parts of a valid policy that are probably mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.cadence.account import Plain
from services.cadence.policy import ContactBudget, Limit, Location, Rule

Kind = Literal[
    "below-minimum",
    "never-fires",
    "shadowed",
    "contradiction",
    "oscillation",
    "blackout",
    "purpose",
    "person",
    "unused",
    "limit",
    "budget",
    "unfinished",
]
KINDS: Mapping[Kind, str] = {
    "below-minimum": "An account that has not churned may hear from us less than once in 30 days",
    "never-fires": "A condition that no account can meet, given segments, stages and how colours are derived; a step "
    "whose condition cannot hold while its window is open; an adjustment or feedback that moves no rhythm",
    "shadowed": "A rule that another rule always overrides or repeats; a segment or stage that is never reached; "
    "a part of a condition that changes nothing",
    "contradiction": "Rules that conflict: an answer to red or yellow that may be stretched, two owners of equal "
    "precedence, a deadline outside its window, a cap that is never reached, a minimum that is never needed, a choice "
    "among several of what never repeats",
    "oscillation": "A rule that its own effect switches off and on again, without news from outside",
    "blackout": "A blackout that can cover a whole window, one too long for a touchpoint that is never skipped or for "
    "monthly contact, or blackouts that together leave no day of the year",
    "purpose": "A touchpoint type without a purpose or an outcome of its own, or with an owner who cannot carry it out",
    "person": "A rule that may lead a person to a small business or self-service account that neither asked for one nor "
    "bought a success package, nor is a small business whose health flags a problem",
    "unused": "A touchpoint type that no rule uses",
    "limit": "A limit that never holds anything back, or that rhythms and timelines use up by themselves",
    "budget": "A contact budget for which no message ever waits, or that rhythms use up by themselves",
    "unfinished": "The policy has too many rules, or conditions too complex, to be checked in full",
}
"""Every kind of finding, with a description for the reference page."""
Proof = Literal["analysis", "search"]
_Witness = Mapping[str, Plain] | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A probable mistake in `rule`: a rule, a segment, a stage, a limit, a budget or a touchpoint type.

    `proof`: `analysis` covers all accounts or shows one (`witness`); `search` found it among a number of samples.
    """

    kind: Kind
    place: Location
    rule: str
    message: str
    proof: Proof = "analysis"
    witness: _Witness = None

    def __str__(self) -> str:
        proof = "proved by analysis" if self.proof == "analysis" else "found by search"
        facts = f": {_format_facts(self.witness)}" if self.witness else ""
        place = f"{self.place.file}:{self.place.line}"
        return f"{place}: {self.kind}: {self.rule}: {self.message} ({proof}{facts})"

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


def finding(
    kind: Kind,
    rule: Rule | Limit | ContactBudget,
    message: str,
    proof: Proof = "analysis",
    witness: _Witness = None,
) -> Finding:
    """A finding at the place of a rule."""
    return Finding(kind, rule.place, rule.rule, message, proof, witness)


def listed(names: Sequence[str], most: int = 4) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _format_facts(facts: Mapping[str, Plain]) -> str:
    """The facts that are known and not false."""
    texts = [
        f"{name} {str(value).lower() if isinstance(value, bool) else value}"
        for name, value in facts.items()
        if value is not None and value is not False
    ]
    return ", ".join(texts) or "nothing is known of the account"
