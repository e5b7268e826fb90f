"""The written data of events is what the model writes."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import OneOffItem, Plan
from schemas.standing import TouchpointContent
from schemas.times import Window
from schemas.touchpoints import TouchpointData, TouchpointOwner
from services.calendar.avoid import NEVER
from services.calendar.plan import content_of
from services.calendar.touchpoint import (
    Cancellation,
    Closure,
    Touchpoint,
    become_overdue,
    cancel,
    release,
)
from services.scheduler.adapters.messages import (
    ChangeDetails,
    EventContext,
    OwnerDetails,
    TypeDetails,
    owner_data,
    touchpoint_data,
)
from tests.unit.calendar.plans import by_hand, one_offs

instants = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def touchpoints(draw: st.DrawFn) -> Touchpoint:
    touchpoint = by_hand(draw(instants | st.just(NEVER)))._replace(
        account_id=draw(st.text(min_size=1, max_size=5)),
        start_at=draw(instants),
        end_at=draw(instants),
        deadline=draw(st.none() | instants),
        number=draw(st.none() | st.integers(1, 999)),
        csm_id=draw(st.none() | st.text(min_size=1, max_size=5)),
    )
    match draw(st.sampled_from(["planned", "due", "overdue", "cancelled"])):
        case "due":
            return release(touchpoint, touchpoint.due_at)
        case "overdue":
            return become_overdue(release(touchpoint, touchpoint.due_at + timedelta(microseconds=1)))
        case "cancelled":
            return cancel(touchpoint, Cancellation(Closure.EXPIRED, draw(st.text(max_size=9))))
        case _:
            return touchpoint


def by_the_model(
    touchpoint: Touchpoint,
    content: TouchpointContent,
    context: EventContext,
    change: ChangeDetails,
) -> bytes:
    reason = content.reason
    if touchpoint.cancellation is not None:
        reason = reason.model_copy(update={"text": touchpoint.cancellation.note})
    return TouchpointData.model_construct(
        touchpoint_id=touchpoint.id,
        account_id=touchpoint.account_id,
        account_name=context.account_name,
        touchpoint_type=touchpoint.type,
        status=touchpoint.status.value,
        due_at=touchpoint.due_at,
        released_at=touchpoint.released_at,
        deadline=touchpoint.deadline,
        window=Window(from_=min(touchpoint.start_at, touchpoint.due_at), to=touchpoint.end_at),
        owner=TouchpointOwner.model_construct(
            kind=touchpoint.owner, csm_id=touchpoint.csm_id, **context.owner._asdict()
        ),
        channel=content.channel,
        purpose=content.purpose,
        reason=reason,
        sequence=touchpoint.sequence,
        topic=content.topic,
        minutes=touchpoint.minutes,
        audience=content.audience,
        occurrence=touchpoint.number,
        previous_due_at=change.previous_due_at,
        previous_owner=change.previous_owner and TouchpointOwner.model_validate(change.previous_owner),
        changed_by=change.changed_by,
        actor_id=change.actor_id,
        agenda=context.details["agenda"],
        expects=context.details["expects"],
        precedence=content.precedence,
        about=content.about,
        url=f"https://drumbeat.example/?account={quote(touchpoint.account_id, safe='')}",
        note=change.note,
    ).write()


contexts = st.builds(
    EventContext,
    st.none() | st.text(),
    st.builds(OwnerDetails, st.none() | st.text(), st.none() | st.text()),
    st.just("https://drumbeat.example"),
    st.builds(TypeDetails, agenda=st.lists(st.text()).map(tuple), expects=st.text()),
)
holders = st.builds(
    owner_data,
    st.tuples(st.just("sales"), st.sampled_from([None, "ada"])),
    st.builds(OwnerDetails, st.sampled_from([None, "Ada"]), st.none() | st.text()),
)
changes = st.builds(
    ChangeDetails,
    st.none() | st.text(),
    st.none() | instants,
    st.sampled_from([None, "plan", "person"]),
    st.none() | holders,
    st.sampled_from([None, "ada"]),
    st.none(),
)


@given(touchpoints(), one_offs("step"), contexts, changes)
def test_the_data_of_an_event_is_what_the_model_writes(
    touchpoint: Touchpoint, item: OneOffItem, context: EventContext, change: ChangeDetails
) -> None:
    content = content_of(item, Plan())

    data = touchpoint_data(touchpoint, content.model_dump(mode="json"), context, change)

    assert orjson.loads(data) == orjson.loads(by_the_model(touchpoint, content, context, change))
