"""HTTP ingest: events are checked one by one, produced, and answered when every in-sync replica has them."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas.base import SchemaModel, parse_json, unknown_fields
from schemas.envelope import Envelope, from_http_binary, from_structured, kafka_headers
from schemas.events import (
    ABOUT_MANY,
    FACTS,
    OUTCOMES,
    check_subject,
    did_you_mean,
    read_data,
    refuse_own_source,
    route,
)
from schemas.outcomes import TouchpointSettled
from schemas.problems import Malformed
from schemas.zones import is_country
from services.chassis.clock import ServiceClock
from services.chassis.event_requests import BATCH, NDJSON, STRUCTURED, read_body, read_media_type
from services.chassis.faults import fault
from services.chassis.kafka import Producer
from services.chassis.kafka_message import Message
from services.chassis.keys import ApiKey
from services.chassis.ndjson import lines_of
from services.chassis.problems import Problem
from services.chassis.rate_limits import Quota, RateLimits
from services.chassis.time_slices import answer_first
from services.rules_engine.domain.account import EvaluationContext
from services.rules_engine.domain.doubts import no_country, no_rate
from services.rules_engine.entrypoints.event_audit import signed_headers
from services.rules_engine.entrypoints.event_items import Item, answer_of, within
from services.rules_engine.entrypoints.kafka_consumer import check_time

LARGEST_EVENT: Final = 256 << 10  # bytes of one event's data, well below what a broker takes
MOST: Final = 500  # events of a batch
MOST_LINES: Final = 250_000  # events of a stream: the answer has a result for each
ACKNOWLEDGE_WITHIN: Final = 8.0  # real seconds; the answer is due within ten
OWN_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # a touchpoint's
MOST_WAITING: Final = 50_000  # events sent and not yet acknowledged, over all requests
DOUBTFUL: Final = frozenset(
    model
    for model in (*FACTS.values(), *OUTCOMES.values())
    if not {"touchpoint_type", "country", "currency"}.isdisjoint(model.model_fields)
)
"""Models with a field whose value is looked up."""
FindTwins = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]


class Ingest:
    """Takes events over HTTP.

    `context`: the policy in force, and the exchange rates; `twins`: see `AccountTwins`; `limits`: of the rates of keys;
    `secret`: signs which key an event came with.
    """

    def __init__(
        self,
        producer: Producer,
        clock: ServiceClock,
        context: Callable[[], EvaluationContext],
        twins: FindTwins,
        limits: RateLimits,
        secret: bytes,
    ) -> None:
        self._secret = secret
        self._producer = producer
        self._clock = clock
        self._context = context
        self._twins = twins
        self._limits = limits
        self._waiting = 0

    async def post(self, request: Request, key: ApiKey, *, validate_only: bool) -> Response:
        """Take a request in any content mode; the body of the answer lists the result of each event.

        An event that needs a scope which the key does not have is refused. What the engine works at gives way.
        """
        return await answer_first(self._post(request, key, validate_only=validate_only))

    async def _post(self, request: Request, key: ApiKey, *, validate_only: bool) -> Response:
        items: list[Item] = []
        quota = self._limits.of(key.key_id)
        try:
            quota.admit()
            async for chunk in self._chunks(request):
                _stop_if_late(items)
                quota.take(len(chunk))
                items += await self._take(within(chunk, key), key, validate_only=validate_only)
            if not items:
                raise Problem(422, "The body holds no event. Send at least one.")
            return answer_of(items, quota.headers())
        except HTTPException as refused:
            problem = Problem(refused.status_code, refused.detail, headers=refused.headers)
            _add_results(problem, items, quota)
            raise problem from refused
        except Problem as problem:
            _add_results(problem, items, quota)
            raise

    async def take(
        self, events: Sequence[Mapping[str, object]], key: ApiKey, *, validate_only: bool = False
    ) -> list[Item]:
        """Take structured events that were made here of what another system sent; the items are in their order."""
        return await answer_first(self._take_made(events, key, validate_only=validate_only))

    async def _take_made(
        self, events: Sequence[Mapping[str, object]], key: ApiKey, *, validate_only: bool
    ) -> list[Item]:
        now = self._clock.now()
        items = [self._structured(index, event, now) for index, event in enumerate(events)]
        return await self._take(within(items, key), key, validate_only=validate_only)

    async def _chunks(self, request: Request) -> AsyncIterator[list[Item]]:
        """The events of a request, checked: of a stream at most `MOST` at a time, else all."""
        media = read_media_type(request)
        if media == NDJSON:
            async for chunk in self._ndjson(request):
                yield chunk
            return
        body, now = await read_body(request), self._clock.now()
        if media == BATCH:
            yield self._batch(body, now)
        else:
            yield [
                self._structured(0, body, now) if media == STRUCTURED else self._binary(request, body, now)
            ]

    def _batch(self, body: bytes, now: datetime) -> list[Item]:
        try:
            events = parse_json(body, "body")
        except Malformed as problem:
            raise Problem(400, str(problem)) from None
        if not isinstance(events, list):
            raise Problem(422, "body: a batch is a JSON array of events.")
        listed = cast("list[object]", events)
        if len(listed) > MOST:
            raise Problem(
                413, f"The batch has {len(listed)} events; at most {MOST} are taken. Send fewer at a time."
            )
        return [self._structured(index, event, now) for index, event in enumerate(listed)]

    async def _ndjson(self, request: Request) -> AsyncIterator[list[Item]]:
        chunk: list[Item] = []
        index = 0
        async for line in lines_of(request):
            if index == MOST_LINES:
                raise Problem(413, f"The stream has more than {MOST_LINES} events. Send it in parts.")
            chunk.append(self._structured(index, line, self._clock.now()))
            index += 1
            if len(chunk) == MOST:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _structured(self, index: int, event: object, now: datetime) -> Item:
        item = Item(index)
        try:
            parsed = parse_json(event, "event") if isinstance(event, bytes) else event
            if not isinstance(parsed, dict):
                raise Malformed("event: not a JSON object; send one CloudEvent")
            members = cast("dict[str, object]", parsed)
            item.source, item.id = _text(members.get("source")), _text(members.get("id"))
            self._check(item, from_structured(members), now)
        except Malformed as problem:
            item.status, item.problem = "refused", str(problem)
        return item

    def _binary(self, request: Request, body: bytes, now: datetime) -> Item:
        item = Item(0, request.headers.get("ce-source"), request.headers.get("ce-id"))
        try:
            parse_json(body)
            self._check(item, from_http_binary(request.headers.items(), body), now)
        except Malformed as problem:
            item.status, item.problem = "refused", str(problem)
        return item

    def _check(self, item: Item, envelope: Envelope, now: datetime) -> None:
        if len(envelope.data) > LARGEST_EVENT:
            raise Malformed(f"data: {len(envelope.data)} bytes; one event takes at most {LARGEST_EVENT}")
        route(envelope.type)
        refuse_own_source(envelope.source)
        message, envelope.data, cleanings = read_data(envelope.type, envelope.data)
        check_subject(envelope.subject, message)
        check_time(envelope.time, now, self._clock)
        warnings = envelope.cleaned
        if cleanings:
            warnings += tuple(map(str, cleanings))
        if type(message) in DOUBTFUL:
            warnings += tuple(self._doubts(message))
        if unknown := unknown_fields(message):
            text = f"not a field of {envelope.type}; it is stored but not read"
            warnings += tuple(f"data.{name}: {text}" for name in unknown)
        item.source, item.id, item.envelope, item.warnings = envelope.source, envelope.id, envelope, warnings

    def _doubts(self, message: SchemaModel) -> Iterator[str]:
        """Warnings about values that are valid and have no effect. Raises Malformed for what settles nothing."""
        fields = vars(message)  # undeclared fields stand elsewhere
        if named := cast("str | None", fields.get("touchpoint_type")):
            yield from self._doubt_type(message, named)
        if (country := cast("str | None", fields.get("country"))) and not is_country(country):
            yield f"data.country: {no_country(country)}"
        if currency := cast("str | None", fields.get("currency")):
            context = self._context()
            own = context.policy.content.currency
            if context.portfolio.rates.factor(currency, own) is None:
                yield f"data.currency: {'; '.join(no_rate(currency, own))}"

    def _doubt_type(self, message: SchemaModel, named: str) -> Iterator[str]:
        types = self._context().policy.catalogue
        if named in types:
            return
        hint = did_you_mean(named, types)
        text = f"data.touchpoint_type: {named!r} is no type of the policy in force; {hint}"
        # Touchpoints of an earlier policy's types are settled by their ids.
        if isinstance(message, TouchpointSettled) and not OWN_ID.fullmatch(message.touchpoint_id or ""):
            raise Malformed(text)
        yield text

    async def _name_twins(self, accepted: Sequence[Item]) -> None:
        """Warn of accounts whose ids differ from that of an event in letter case only: one query a request."""
        about = [
            (item, sent.subject)
            for item in accepted
            if (sent := item.envelope) is not None and sent.type not in ABOUT_MANY
        ]
        twins = await self._twins({subject for _, subject in about})
        for item, subject in about if twins else ():
            if subject in twins:
                text = f"subject: {subject!r} differs from the account {twins[subject]!r} in letter case only"
                item.warnings = (*item.warnings, f"{text}; they are two accounts")

    async def _take(self, items: list[Item], key: ApiKey, *, validate_only: bool) -> list[Item]:
        accepted = [item for item in items if item.envelope is not None]
        if validate_only or not accepted:
            await self._name_twins(accepted)
            for item in accepted:
                item.envelope = None
            return items
        if self._waiting + len(accepted) > MOST_WAITING:
            raise Problem(
                503, "Too many events wait for the broker. Try again.", headers={"Retry-After": "5"}
            )
        self._waiting += len(accepted)
        try:
            fault("ingest.before_produce")
            messages = [_message(item.envelope, key, self._secret) for item in accepted if item.envelope]
            acknowledged, _ = await asyncio.gather(
                self._producer.send(messages, timeout=ACKNOWLEDGE_WITHIN), self._name_twins(accepted)
            )
            fault("ingest.after_produce")
        finally:
            self._waiting -= len(accepted)
        for item, is_acknowledged in zip(accepted, acknowledged, strict=True):
            if not is_acknowledged:
                item.status = "unknown"
                item.problem = (
                    "The broker did not acknowledge in time. Send the event again, with the same id."
                )
            item.envelope = None  # a long stream keeps results, not events
        return items


def _stop_if_late(items: Sequence[Item]) -> None:
    """Read no more of a stream while the broker is late. Raises a `Problem`, 503: what was not read is not lost."""
    if any(item.status == "unknown" for item in items[-MOST:]):
        raise Problem(
            503,
            "The broker did not acknowledge in time, so the rest of the stream was not read. Send again what is unknown"
            " and what has no result.",
            headers={"Retry-After": "5"},
        )


def _add_results(problem: Problem, items: Sequence[Item], quota: Quota) -> None:
    """What a stream sent before the error may be in Kafka by now: the answer says so."""
    problem.members.setdefault("results", [item.result() for item in items])
    problem.headers |= quota.headers()


def _message(envelope: Envelope, key: ApiKey, secret: bytes) -> Message:
    topic = route(envelope.type)
    headers = signed_headers(secret, topic, envelope, kafka_headers(envelope), key)
    return Message(topic, envelope.subject.encode(), envelope.data, headers)


def _text(value: object) -> str | None:
    return value[:1024] if isinstance(value, str) else None
