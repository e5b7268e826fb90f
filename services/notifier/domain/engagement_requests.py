"""Requests for the addresses of a mail that measure it: which of them a person made.

Mail providers load images for their users, some of them before the mail is opened, and security gateways follow links
to look at what they lead to. docs/tracking.md names the sources. A machine that acts exactly like a person is taken for
one, and a person who is as fast as a machine for a machine.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

EngagementKind = Literal["opened", "clicked"]
AFTER_DELIVERY: Final = timedelta(seconds=10)
"""Real time from the moment at which the relay took the mail: gateways look at it before they pass it on."""
AFTER_HEAD: Final = timedelta(seconds=60)
AT_ONCE: Final = timedelta(seconds=2)
"""Nobody follows two links of a mail within this time."""
_PREFETCHES: Final = ("mozilla/5.0", "")
"""All that Apple's Mail Privacy Protection says of itself, and who says nothing."""
_PROXIES: Final = re.compile(
    r"googleimageproxy|ggpht\.com|yahoomailproxy|image ?proxy|mail ?proxy|edge/12\.246 mozilla/5\.0",
    re.IGNORECASE,
)
"""Gmail's proxy, Gmail's prefetching of images, Yahoo's proxy, and others that say that they are one."""
_MACHINES: Final = re.compile(
    r"(?<!cu)bot\b|crawler|spider|scanner|prefetch|preview|safelinks|barracuda|mimecast|proofpoint|headless"
    r"|^(?:curl|wget|python|go-http-client|java|okhttp|libwww|axios|node|ruby|apache-httpclient)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class EngagementRequest:
    """At a real moment. `link`: the target that was asked for, of a click; `agent`: the User-Agent, may be empty."""

    kind: EngagementKind
    link: str | None
    is_head: bool
    agent: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Sign:
    """What requests of one kind show. `is_automatic`: only machines made them; `link`: that of the first, if any."""

    kind: EngagementKind
    link: str | None
    at: datetime
    is_automatic: bool


def find_signs(
    requests: Sequence[EngagementRequest], others: Sequence[EngagementRequest], delivered_at: datetime | None
) -> list[Sign]:
    """What these requests for the addresses of one mail show, at most one sign a kind: that of a person, if any.

    `others`: all that were made lately, these too; `delivered_at`: None: the mail is still being handed over. HEAD shows
    nothing: it asks whether there is something.
    """
    signs: list[Sign] = []
    kinds: tuple[EngagementKind, ...] = ("opened", "clicked")
    for kind in kinds:
        own = sorted(
            (one for one in requests if one.kind == kind and not one.is_head), key=lambda one: one.at
        )
        by_people = [one for one in own if not is_automatic(one, others, delivered_at)]
        first = next(iter(by_people or own), None)
        if first is not None:
            signs.append(Sign(kind, first.link, first.at, is_automatic=not by_people))
    return signs


def is_automatic(
    request: EngagementRequest, others: Sequence[EngagementRequest], delivered_at: datetime | None
) -> bool:
    """Whether a machine made the request."""
    if delivered_at is None or request.at < delivered_at + AFTER_DELIVERY or is_machine(request.agent):
        return True
    return request.kind == "clicked" and any(_shows_scanner(one, request) for one in others)


def is_machine(agent: str) -> bool:
    """Whether this User-Agent is that of a proxy, a prefetching mail service, a scanner or a program."""
    name = agent.strip()
    return name.lower() in _PREFETCHES or bool(_PROXIES.search(name) or _MACHINES.search(name))


def _shows_scanner(other: EngagementRequest, request: EngagementRequest) -> bool:
    """HEAD came before, or another link was followed at the same time."""
    if other.kind != "clicked":
        return False
    if other.is_head:
        return timedelta(0) <= request.at - other.at <= AFTER_HEAD
    return other.link != request.link and abs(request.at - other.at) <= AT_ONCE
