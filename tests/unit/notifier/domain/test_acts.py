"""What a person may do to a touchpoint from a message."""

import pytest

from schemas.touchpoints import TouchpointOwner
from services.notifier.domain.acts import allowed_acts

OF_OWNER = ["done", "missed", "move", "assign", "skip"]


@pytest.mark.parametrize(
    ("kind", "owner_id", "person_id", "is_owner_known", "leads", "acts"),
    [
        ("csm", "carl", "carl", True, False, OF_OWNER),
        ("sales", "carl", "carl", False, False, OF_OWNER),
        ("csm", None, "mara", False, True, ["claim", "assign", "skip"]),
        ("csm", "typo", "mara", False, True, ["claim", "assign", "skip"]),
        ("csm", None, None, False, False, ["assign", "skip"]),
        ("csm", "dora", "carl", True, False, []),
        ("csm", "dora", "mara", True, True, ["assign", "skip"]),
        ("marketing", None, "mia", False, False, ["done", "skip"]),
    ],
)
def test_who_may_do_what(
    *,
    kind: str,
    owner_id: str | None,
    person_id: str | None,
    is_owner_known: bool,
    leads: bool,
    acts: list[str],
) -> None:
    owner = TouchpointOwner(kind=kind, csm_id=owner_id)  # pyright: ignore[reportArgumentType]

    allowed = allowed_acts(owner, person_id, is_owner_known=is_owner_known, leads=leads)

    assert list(allowed) == acts
