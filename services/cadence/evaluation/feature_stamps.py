"""Marks: which fact a word's present value rests on. Found when asked for: most words are never asked about."""

from services.cadence.account import Facts, Stamp
from services.cadence.features.compute import AccountView
from services.cadence.features.registry import feature_named


class Marks:
    """Of one account at one moment. A word nobody spoke of has no mark."""

    def __init__(self, facts: Facts, view: AccountView) -> None:
        self._facts = facts
        self._seen = view
        self._stored = {name: stamp for stamp, said in facts.account.items() for name in said}
        self._words: dict[str, Stamp | None] = {}

    def of(self, name: str) -> Stamp | None:
        """The newest stamp that the word rests on."""
        if name not in self._words:
            self._words[name] = self._newest(name)
        return self._words[name]

    def _newest(self, name: str) -> Stamp | None:
        rests = self._seen.stamps.get(name)
        if rests is not None:
            return rests
        word = feature_named(name)
        if word is None:
            return None
        found = [
            stamp for part in word.rests_on or word.changed_by if (stamp := self._part(part)) is not None
        ]
        return max(found, default=None)

    def _part(self, part: str) -> Stamp | None:
        """Of a stored field, of what is said of the contract that renews next, or of a kind of event."""
        match part:
            case "color":
                return self._stored.get(part) if self._said(part) else self._stored.get("health_score")
            case "arr" if self._seen.primary is not None and not self._said(part):
                return self._revenue() or self._stored.get(part)
            case "usage":
                return self._event("usage.reported")
            case "touch":
                touch = self._seen.last_touch.get(None)
                return None if touch is None else touch[1]
            case "renewal" | "status" | "signature" | "start" | "contract":
                return self._contract(part)
            case _:
                return self._event(part) if "." in part else self._stored.get(part)

    def _said(self, name: str) -> bool:
        stamp = self._stored.get(name)
        return stamp is not None and self._facts.account[stamp].get(name) is not None

    def _contract(self, part: str) -> Stamp | None:
        each = self._seen.primary
        if each is None:
            return None
        match part:
            case "renewal":
                return each.anchor
            case "status":
                return each.status_stamp
            case "signature":
                return each.signature or each.status_stamp
            case "start":
                return each.first_signature or each.status_stamp or each.anchor
            case _:
                return max(self._facts.contracts[each.contract_id].fields, default=None)

    def _revenue(self) -> Stamp | None:
        """The newest word on any contract's revenue."""
        contracts = self._facts.contracts.values()
        return max(
            (stamp for each in contracts for stamp, said in each.fields.items() if "arr" in said),
            default=None,
        )

    def _event(self, kind: str) -> Stamp | None:
        entries = self._facts.entries.get(kind)
        return next(reversed(entries)) if entries else None
