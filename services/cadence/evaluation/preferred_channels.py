"""Wished channels: over which channel a touchpoint takes place where a contact asked for another than the policy's."""

from collections.abc import Mapping

from services.cadence.policy import PERSONS, Policy, Rhythm, Step, Trigger

ChannelPreferences = tuple[tuple[str, str], ...]
"""(topic, channel), sorted by topic."""
_BY_PERSON: Mapping[str, frozenset[str]] = {
    "meeting": frozenset({"call"}),
    "call": frozenset({"meeting", "email"}),
    "email": frozenset({"call", "meeting"}),
}
"""A call may become a mail; what needs a meeting does not."""
_AUTOMATIC: Mapping[str, frozenset[str]] = {"email": frozenset({"in_app"}), "in_app": frozenset({"email"})}


def preferred_channel(
    policy: Policy, rule: Rhythm | Trigger | Step, preferred: Mapping[str, str]
) -> str | None:
    """The channel that contacts wish for the topic of the rule; None: there is no other, or it is not possible.

    A person may call, meet or write; automation and marketing send mails and messages in the product. What is held for
    many (`group`) and internal work stay as they are, and so does what is never skipped, but for a call in place of a
    meeting.
    """
    kind = policy.catalogue[rule.touchpoint]
    wanted = None if kind.topic is None or kind.group else preferred.get(kind.topic)
    channel = rule.channel or kind.channel
    possible = (_BY_PERSON if (rule.owner or kind.owner) in PERSONS else _AUTOMATIC).get(channel, frozenset())
    is_kept = kind.never_skip and wanted == "email"
    return wanted if wanted in possible and not is_kept else None
