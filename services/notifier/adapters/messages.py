"""The messages that the notifier publishes, as the models of the schemas define them."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from schemas.directory import PreferenceRecord
from schemas.facts import PreferenceChanged, SurveyAnswered
from schemas.outcomes import DELIVERY_FINISHED
from schemas.times import format_instant
from services.chassis.outbox import Outgoing
from services.chassis.tracing import traces
from services.notifier.application.ports import WebhookResult
from services.notifier.domain.delivery import CALENDAR, Delivery, Recipient, RecipientKind, State
from services.notifier.domain.delivery_cause import cause_of
from services.notifier.metrics import FINISHED, UNTOLD

OUTCOMES, SIGNALS = "touchpoint.outcomes", "account.signals"
PREFERENCE_CHANGED = "drumbeat.preference.changed.v1"
SURVEY_ANSWERED = "drumbeat.survey.answered.v1"
NOBODY = "nobody"
"""The recipient's id where there is no recipient."""
LONGEST_REASON = 2000
# A batch of deliveries has one moment and few counters: neither is computed again for each delivery.
_instant = lru_cache(maxsize=64)(format_instant)
_counter = lru_cache(maxsize=64)(FINISHED.labels)

Touchpoint = tuple[str | None, str | None]
"""The id and the type of a touchpoint."""


def delivery_finished(
    delivery: Delivery, *, account_id: str, touchpoint: Touchpoint, at: datetime
) -> Outgoing:
    """The event that reports a delivery in its final state."""
    _counter(delivery.channel, delivery.state).inc()
    if delivery.recipient.kind is RecipientKind.MAILBOX and delivery.recipient.id is None:
        UNTOLD.inc()
    # Not written by the model `DeliveryFinished`, which takes several times as long; a test holds it to the model.
    data = orjson.dumps(
        {
            "delivery_id": delivery.id,
            "touchpoint_id": touchpoint[0],
            "touchpoint_type": touchpoint[1],
            "channel": delivery.channel,
            "recipient": {"kind": delivery.recipient.kind, "id": delivery.recipient.id or NOBODY},
            "state": delivery.state,
            "reason": delivery.reason[:LONGEST_REASON] if delivery.reason else None,
            "cause": cause_of(delivery.state, delivery.reason),
            "at": _instant(at),
        }
    )
    headers = traces().event_headers(f"delivery {delivery.state}", delivery.id, account_id)
    return Outgoing(OUTCOMES, account_id, f"{delivery.id}:finished", DELIVERY_FINISHED, at, data, headers)


def report_finished(
    delivery: Delivery, *, account_id: str, touchpoint: Touchpoint, at: datetime
) -> list[Outgoing]:
    """The same, none for an invitation: it is no contact with the customer, and its touchpoint is still to come."""
    if delivery.channel == CALENDAR:
        _counter(delivery.channel, delivery.state).inc()
        return []
    return [delivery_finished(delivery, account_id=account_id, touchpoint=touchpoint, at=at)]


def report_finished_row(row: Any, at: datetime) -> list[Outgoing]:
    """The same of a row: id, channel, recipient kind and id, state, reason, account, touchpoint id and type."""
    recipient = Recipient(RecipientKind(row[2]), row[3])
    delivery = Delivery(str(row[0]), row[1], recipient, State(row[4]), row[5])
    return report_finished(delivery, account_id=row[6], touchpoint=(row[7], row[8]), at=at)


def webhooks_sent(results: Sequence[WebhookResult], at: datetime) -> list[Outgoing]:
    """The same of webhooks that were delivered, all with the one answer of the first."""
    if not results:
        return []
    _counter("webhook", State.SENT).inc(len(results))
    reason, instant = results[0].response.detail[:LONGEST_REASON], _instant(at)
    reports: list[Outgoing] = []
    for claim, _, _ in results:
        data = orjson.dumps(
            {
                "delivery_id": claim.delivery_id,
                "touchpoint_id": claim.touchpoint_id,
                "touchpoint_type": claim.touchpoint_type,
                "channel": "webhook",
                "recipient": {"kind": "subscription", "id": claim.endpoint.id},
                "state": "sent",
                "reason": reason,
                "cause": None,
                "at": instant,
            }
        )
        event_id = f"{claim.delivery_id}:finished"
        headers = traces().event_headers("delivery sent", claim.delivery_id, claim.account_id)
        reports.append(Outgoing(OUTCOMES, claim.account_id, event_id, DELIVERY_FINISHED, at, data, headers))
    return reports


def preference_changed(preference: PreferenceRecord, account_id: str) -> Outgoing:
    """A preference taken in here, as a fact for the rules engine. An unknown field is left out."""
    data = PreferenceChanged.of_valid(
        contact_id=preference.contact_id,
        topic=preference.topic,
        channel=preference.channel,
        frequency=preference.frequency,
        opted_in=preference.opted_in,
        by_contact=preference.by_contact,
    )
    payload = data.model_dump_json(exclude_none=True).encode()
    return Outgoing(SIGNALS, account_id, preference.id, PREFERENCE_CHANGED, preference.time, payload)


def survey_answered(answer: SurveyAnswered, account_id: str, event_id: str, at: datetime) -> Outgoing:
    """A contact's answer, as a fact for the rules engine. An unknown field is left out."""
    payload = answer.model_dump_json(exclude_none=True).encode()
    return Outgoing(SIGNALS, account_id, event_id, SURVEY_ANSWERED, at, payload)
