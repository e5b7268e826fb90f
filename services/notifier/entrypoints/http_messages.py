"""One delivery, its message as it was sent, sending it again, and the people of ours, over HTTP."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter

from services.chassis.problems import Problem
from services.chassis.settings import Retention
from services.chassis.web import Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.notifier.application.read_messages import (
    Messages,
    NotResendable,
    PeopleReader,
    PersonItem,
    WrittenMessage,
    person_item,
)
from services.notifier.application.read_models import DeliveryItem

NO_MESSAGE = (
    "No message of this delivery is kept: it was not written, or more than {days} days ago, or erased."
)
NO_DELIVERY = "There is no delivery {id}. If it was made more than {days} days ago, it is no longer stored."


@dataclass(frozen=True, slots=True)
class Resent:
    """The new delivery."""

    id: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    items: list[PersonItem]
    next_cursor: str | None


def message_routes(messages: Messages, people: PeopleReader, retention: Retention) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["deliveries"])
    read = [require("read")]

    @router.get("/deliveries/{delivery_id}", dependencies=read, summary="One delivery")
    async def get_delivery(delivery_id: UUID) -> DeliveryItem:
        item = await messages.delivery(str(delivery_id))
        if item is None:
            raise _unknown(delivery_id, retention)
        return item

    @router.get(
        "/deliveries/{delivery_id}/message",
        dependencies=read,
        summary="The mail as it was sent, without the proof in the links with which its recipient acts",
    )
    async def get_message(delivery_id: UUID) -> WrittenMessage:
        message = await messages.message(str(delivery_id))
        if message is None:
            raise Problem(404, NO_MESSAGE.format(days=retention.messages_days))
        return message

    _add_resend(router, messages, retention)
    _add_people(router, people)
    return router


def _add_resend(router: APIRouter, messages: Messages, retention: Retention) -> None:
    @router.post(
        "/deliveries/{delivery_id}/resend",
        dependencies=[require("act")],
        status_code=202,
        summary="Send a mail again: a new delivery, decided on by the policy as it is now",
    )
    async def resend(delivery_id: UUID) -> Resent:
        try:
            new_id = await messages.resend(str(delivery_id))
        except NotResendable as refused:
            raise Problem(409, str(refused), title="Cannot be sent again") from refused
        if new_id is None:
            raise _unknown(delivery_id, retention)
        return Resent(new_id)


def _add_people(router: APIRouter, people: PeopleReader) -> None:
    @router.get(
        "/people", dependencies=[require("read")], tags=["people"], summary="The people of ours, by id"
    )
    async def list_people(limit: Limit = 100, cursor: Cursor = None) -> PersonPage:
        (after,) = decode_cursor(cursor, str) or ("",)
        found = await people.people(after=str(after), limit=limit + 1)
        items = list(map(person_item, found))
        fields = page(items, limit, lambda item: encode_cursor(item.csm_id))
        return PersonPage(**fields)  # pyright: ignore[reportArgumentType]


def _unknown(delivery_id: UUID, retention: Retention) -> Problem:
    return Problem(404, NO_DELIVERY.format(id=delivery_id, days=retention.deliveries_days))
