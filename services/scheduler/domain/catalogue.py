"""Touchpoint types as the policy in force describes them."""

from difflib import get_close_matches

from schemas.directory import PolicyRecord, TouchpointTypeRecord


class UnknownType(Exception):
    def __init__(self, touchpoint_type: str, known: list[str]) -> None:
        near = get_close_matches(touchpoint_type.casefold()[:200], known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'no types'}"
        super().__init__(
            f"type: the policy in force has no touchpoint type {touchpoint_type[:200]!r}; {hint}"
        )


def find_type(policy: PolicyRecord, touchpoint_type: str) -> TouchpointTypeRecord:
    """The type of that name. Raises UnknownType, with the name that was probably meant."""
    types = {record.touchpoint_type: record for record in policy.touchpoint_types}
    if touchpoint_type not in types:
        raise UnknownType(touchpoint_type, sorted(types))
    return types[touchpoint_type]
