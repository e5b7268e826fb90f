"""What is one thing for the person who leads it has one group."""

from datetime import timedelta
from itertools import permutations

from schemas.plans import Cause, Reason
from schemas.standing import TouchpointContent
from schemas.vocabulary import Channel
from services.calendar.grouping import Member, find_groups
from services.calendar.touchpoint import Origin, Status
from tests.unit.calendar.plans import NOW, by_hand

DAY = timedelta(days=1)
RED = Cause(source="/crm", id="red-1")
REASON = Reason(rule="r", policy="p", text="because")


def member(
    name: str,
    channel: Channel = "in_app",
    cause: Cause | None = RED,
    *,
    days: int = 0,
    **changed: object,
) -> Member:
    due_at = NOW + days * DAY
    usual = {"id": name, "type": name, "origin": Origin.ONE_OFF, "start_at": NOW, "csm_id": "ada"}
    touchpoint = by_hand(due_at)._replace(**{**usual, **changed})
    topic = None if channel == "in_app" else "account"
    content = TouchpointContent(
        channel=channel, purpose="", topic=topic, audience=(), reason=REASON, cause=cause
    )
    return Member(touchpoint, content)


def weekly(name: str, days: int, **changed: object) -> Member:
    rhythm = {"type": "check_in", "origin": Origin.RHYTHM, **changed}
    return member(name, "call", None, days=days, **rhythm)


def test_an_escalation_and_its_action_plan_are_one() -> None:
    plan, escalation = member("action_plan"), member("escalation", days=1)

    groups = find_groups([escalation, plan, member("other", cause=Cause(source="/crm", id="red-2"))])

    assert groups == {"action_plan": "action_plan", "escalation": "action_plan"}


def test_another_person_moment_channel_or_state_is_another_thing() -> None:
    others = [
        member("b", csm_id="bob"),
        member("c", start_at=NOW + DAY),
        member("d", "call"),
        member("e", status=Status.SETTLED),
        member("f", owner="automation"),
        member("g", cause=None),
        member("h", csm_id=None),
    ]
    for other in others:
        assert find_groups([member("a"), other]) == {}


def test_an_unplanned_call_belongs_to_the_nearest_call_of_a_rhythm_in_its_week() -> None:
    """NOW is a Monday: day six is the last of its week."""
    calls = [weekly("w1", 0), weekly("w2", 3), weekly("w3", 7)]

    groups = find_groups([member("ad_hoc", "call", days=5), *calls])

    assert groups == {"ad_hoc": "w2", "w2": "w2"}
    assert find_groups([member("ad_hoc", "call", days=6), calls[2]]) == {}
    assert find_groups(calls) == {}


def test_the_next_call_of_its_own_rhythm_is_another_conversation() -> None:
    moved = member("follow_up", "call", None, days=1)._replace(content=weekly("w", 0).content)
    again = moved._replace(touchpoint=moved.touchpoint._replace(type="check_in", origin=Origin.HAND))

    assert find_groups([again, weekly("w1", 2)]) == {}


def test_the_order_of_reading_does_not_matter_and_all_of_a_chain_are_one() -> None:
    chain = [member("a", "call"), member("b", "call"), weekly("w", 2)]

    found = {tuple(sorted(find_groups(order).items())) for order in permutations(chain)}

    assert found == {(("a", "w"), ("b", "w"), ("w", "w"))}
