"""Feature stamps: which event the present value of a feature comes from. Found on demand: most are never asked for."""

from services.cadence.account import Stamp
from services.cadence.account.merging import newest_stamp
from services.cadence.features.registry import feature_named
from services.cadence.features.view import AccountView


class FeatureStamps:
    """Of one account at one moment. A feature that no event has set has no stamp."""

    def __init__(self, view: AccountView) -> None:
        self._facts = view.facts
        self._view = view
        self._stored = {name: stamp for stamp, fields in view.facts.account.items() for name in fields}
        self._stamps: dict[str, Stamp | None] = {}

    def of(self, name: str) -> Stamp | None:
        """The newest stamp behind the feature."""
        if name not in self._stamps:
            self._stamps[name] = self._newest(name)
        return self._stamps[name]

    def _newest(self, name: str) -> Stamp | None:
        computed = self._view.stamps.get(name)
        if computed is not None:
            return computed
        feature = feature_named(name)
        if feature is None:
            return None
        parts = feature.rests_on or feature.changed_by
        return max((stamp for part in parts if (stamp := self._part(part)) is not None), default=None)

    def _part(self, part: str) -> Stamp | None:
        """Of a stored field, of a part of the contract that renews next, or of the newest event of a type."""
        match part:
            case "color":
                return self._stored.get(part) if self._is_set(part) else self._stored.get("health_score")
            case "arr" if self._view.primary is not None and not self._is_set(part):
                return self._revenue() or self._stored.get(part)
            case "usage":
                return self._event("usage.reported")
            case "touch":
                contact = self._view.last_touch.get(None)
                return None if contact is None else contact[1]
            case "renewal" | "status" | "signature" | "start" | "contract":
                return self._contract(part)
            case _:
                return self._event(part) if "." in part else self._stored.get(part)

    def _is_set(self, name: str) -> bool:
        stamp = self._stored.get(name)
        return stamp is not None and self._facts.account[stamp].get(name) is not None

    def _contract(self, part: str) -> Stamp | None:
        contract = self._view.primary
        if contract is None:
            return None
        match part:
            case "renewal":
                return contract.anchor
            case "status":
                return contract.status_stamp
            case "signature":
                return contract.signature or contract.status_stamp
            case "start":
                return contract.first_signature or contract.status_stamp or contract.anchor
            case _:
                return max(self._facts.contracts[contract.contract_id].fields, default=None)

    def _revenue(self) -> Stamp | None:
        """The newest stamp of any contract's revenue."""
        contracts = self._facts.contracts.values()
        stamps = (stamp for each in contracts for stamp, fields in each.fields.items() if "arr" in fields)
        return max(stamps, default=None)

    def _event(self, kind: str) -> Stamp | None:
        return newest_stamp(self._facts.entries.get(kind, {}))
