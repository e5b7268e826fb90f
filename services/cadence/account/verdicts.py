"""Verdicts: why the newest message about a touchpoint of a type was not sent, as the notifier decided it.

Only the newest that was sent and the newest that was not count, so the order of arrival does not matter. What is sent to
a subscription reaches nobody.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, cast, get_args

from schemas.vocabulary import DeliveryCause
from services.cadence.account.stamps import micros, plain
from services.cadence.account.state import FactEvent

Stored = list[int | str]
"""[microseconds since 1970, touchpoint id] of what was sent; of what was not also cause, channel and reason."""
Verdicts = dict[str, dict[str, Stored]]
"""Touchpoint type -> `sent` and `stopped`."""
FINISHED = "delivery.finished"
_CAUSES = frozenset(get_args(DeliveryCause))
_LONGEST_REASON = 200
# A mail address or a telephone number, which a server may repeat in its refusal (RFC 5321, section 4.2).
_ADDRESS = re.compile(r"""[^\s<>"']+@[^\s<>"']+|\+\d[\d ().-]{5,}\d""")


class Verdict(NamedTuple):
    """`at` in microseconds since 1970."""

    at: int
    touchpoint_id: str
    cause: DeliveryCause
    channel: str
    reason: str


def apply_verdict(verdicts: Verdicts, kind: str, touchpoint_id: str, event: FactEvent) -> bool:
    """Apply a `delivery.finished` event about a touchpoint of this type. Returns whether anything changed."""
    fields = event.fields
    recipient = cast("Mapping[str, object]", fields.get("recipient") or {})
    # That a mailbox of ours heard of it does not mean that the message reached anybody it was for.
    is_for_mailbox = recipient.get("kind") == "mailbox" and fields.get("state") == "sent"
    if recipient.get("kind") == "subscription" or is_for_mailbox:
        return False
    at = plain(fields.get("at"))
    stored: Stored = [at if isinstance(at, int) else micros(event.provenance.time), touchpoint_id]
    if fields.get("state") != "sent":
        if fields.get("cause") not in _CAUSES:
            return False
        texts = (str(fields.get(name) or "") for name in ("cause", "channel", "reason"))
        stored += [_ADDRESS.sub("…", text)[:_LONGEST_REASON] for text in texts]
    name = "sent" if fields.get("state") == "sent" else "stopped"
    before = verdicts.get(kind, {}).get(name)
    if before is not None and _rank(before) >= _rank(stored):
        return False
    verdicts.setdefault(kind, {})[name] = stored
    return True


def merge_verdicts(into: Verdicts, other: Verdicts) -> None:
    """Add the verdicts of another account, in place."""
    for kind, named in other.items():
        own = into.setdefault(kind, {})
        for name, stored in named.items():
            own[name] = max(stored, own.get(name, stored), key=_rank)


def erase_addresses(verdicts: Verdicts) -> None:
    """Drop the addresses that reasons repeat, in place: earlier versions stored them."""
    for named in verdicts.values():
        for name, stored in named.items():
            named[name] = [_ADDRESS.sub("…", part) if isinstance(part, str) else part for part in stored]


def _rank(stored: Stored) -> tuple[int, list[str]]:
    return int(stored[0]), [str(part) for part in stored[1:]]


def verdict_on(verdicts: Verdicts, kind: str) -> Verdict | None:
    """Why the newest message of a type was not sent; None where it was, to anybody."""
    own = verdicts.get(kind, {})
    stopped, sent = own.get("stopped"), own.get("sent")
    if stopped is None or (sent is not None and (sent[1] == stopped[1] or int(sent[0]) >= int(stopped[0]))):
        return None
    at, touchpoint_id, cause, channel, reason = stopped
    return Verdict(int(at), str(touchpoint_id), cast("DeliveryCause", cause), str(channel), str(reason))
