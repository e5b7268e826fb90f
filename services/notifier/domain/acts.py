"""What a person of ours may do to a touchpoint from a message."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from schemas.touchpoints import TouchpointOwner


class Act(StrEnum):
    DONE = "done"
    MISSED = "missed"
    MOVE = "move"
    ASSIGN = "assign"
    SKIP = "skip"
    CLAIM = "claim"


OWNERS_WHO_ARE_PEOPLE: Final = frozenset({"csm", "pooled_csm", "sales"})
_OF_OWNER: Final = (Act.DONE, Act.MISSED, Act.MOVE, Act.ASSIGN, Act.SKIP)
_OF_NOBODY: Final = (Act.CLAIM, Act.ASSIGN, Act.SKIP)
_OF_OTHERS: Final = (Act.ASSIGN, Act.SKIP)
_BY_HAND: Final = (Act.DONE, Act.SKIP)


def allowed_acts(
    owner: TouchpointOwner, person_id: str | None, *, is_owner_known: bool, leads: bool
) -> Sequence[Act]:
    """What this person may do to an open touchpoint of this owner, the most likely first; empty: nothing.

    `person_id` None: who reads the mailbox of the deployment. `is_owner_known`: the directory has the owner. `leads`: a
    manager, who may hand over and skip what others have.
    """
    if owner.kind not in OWNERS_WHO_ARE_PEOPLE:
        return _BY_HAND
    if person_id is not None and owner.csm_id == person_id:
        return _OF_OWNER
    is_free = owner.csm_id is None or not is_owner_known
    if person_id is None or not is_free:
        return _OF_OTHERS if person_id is None or leads else ()
    return _OF_NOBODY
