"""Completion: what became of claims, in one transaction with attempts, circuits and the reports of it.

Only who still holds the lease completes a delivery; for the others nothing is recorded.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.chassis.database import Connection
from services.chassis.outbox import Outbox, Outgoing
from services.notifier.adapters.delivery_repository import add_entries, post_in_app, rouse_at
from services.notifier.adapters.directory_repository import address_hash
from services.notifier.adapters.messages import finished
from services.notifier.adapters.subscription_repository import endpoint
from services.notifier.application.ports import Claim, Now, Settled, WebhookClaim
from services.notifier.domain.delivery import Delivery, Recipient, RecipientKind, State

# Who holds the lease also writes the attempt, if one was made: its number is the count of them so far.
COMPLETE = """
WITH done AS (
    UPDATE delivery d SET state = u.state, reason = u.reason, attempts = u.attempts, next_at = u.next_at,
        rouse_at = u.rouse_at, waits_until = CASE WHEN u.state = 'pending' THEN d.waits_until END,
        first_at = coalesce(d.first_at, u.tried_at),
        finished_at = CASE WHEN u.state <> 'pending' THEN $1::timestamptz END,
        ambiguous = d.ambiguous OR coalesce(u.outcome = 'ambiguous', false), lease_token = NULL, lease_until = NULL
    FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::timestamptz[], $8::timestamptz[],
        $9::timestamptz[], $10::text[], $11::text[])
      AS u(id, token, state, reason, attempts, next_at, rouse_at, tried_at, outcome, detail)
    WHERE d.id = u.id AND d.lease_token = u.token AND d.state = 'pending'
    RETURNING d.id, u.attempts, u.tried_at, u.outcome, u.detail
), tried AS (
    INSERT INTO attempt (delivery_id, number, at, outcome, detail)
    SELECT id, attempts, tried_at, outcome, detail FROM done WHERE outcome IS NOT NULL ON CONFLICT DO NOTHING
)
SELECT id::text FROM done
"""
REPLACE = "DELETE FROM delivery WHERE id = $1 AND lease_token = $2 AND state = 'pending' RETURNING id"
REFUSE = """
INSERT INTO refused_address (address_hash, detail) VALUES ($1, $2) ON CONFLICT (address_hash) DO NOTHING
"""
CIRCUIT = "UPDATE subscription SET failures = $2, open_until = $3 WHERE id = $1"
DISABLE = "UPDATE subscription SET active = false, disabled_reason = $2 WHERE id = $1 AND active"


async def complete(connection: Connection, outbox: Outbox, settled: Sequence[Settled], now: Now) -> None:
    replaced = [each for each in settled if each.replaced_by]
    plain = sorted((each for each in settled if not each.replaced_by), key=lambda each: each.delivery.id)
    done = await _complete_rows(connection, plain, now)
    await _keep_circuits(connection, done, now.real)
    for each in done:
        if each.refused_address is not None and each.attempt is not None:
            await connection.execute(REFUSE, address_hash(each.refused_address), each.attempt.detail)
    posted = [
        (each.delivery, each.claim.heard, each.in_app)
        for each in done
        if each.in_app is not None and isinstance(each.claim, Claim)
    ]
    await post_in_app(connection, posted, now.service)
    reports = [_report(each, now.service) for each in done if each.delivery.state.final]
    for each in replaced:
        reports += await _replace(connection, each, now)
    await outbox.append(connection, reports)


async def _complete_rows(connection: Connection, plain: Sequence[Settled], now: Now) -> list[Settled]:
    rows = await connection.fetch(
        COMPLETE,
        now.service,
        [each.delivery.id for each in plain],
        [each.claim.token for each in plain],
        [each.delivery.state for each in plain],
        [each.delivery.reason for each in plain],
        [each.delivery.attempts for each in plain],
        [None if each.send_after else each.delivery.next_at for each in plain],
        [_rouse_at(each) for each in plain],
        [each.attempt.at if each.attempt else None for each in plain],
        [each.attempt.outcome if each.attempt else None for each in plain],
        [each.attempt.detail if each.attempt else None for each in plain],
    )
    mine = {row[0] for row in rows}
    return [each for each in plain if each.delivery.id in mine]


def _rouse_at(settled: Settled) -> datetime | None:
    if isinstance(settled.claim, WebhookClaim):
        return None
    return rouse_at(settled.delivery, settled.send_after, settled.claim.heard.deadline)


async def _keep_circuits(connection: Connection, done: Sequence[Settled], real: datetime) -> None:
    """Healthy endpoints cost nothing here: a row is written only when something changed."""
    called = [
        (each.claim.endpoint, each)
        for each in done
        if isinstance(each.claim, WebhookClaim) and each.receipt is not None
    ]
    unwell = {
        endpoint.id
        for endpoint, each in called
        if each.delivery.state is not State.SENT or not endpoint.circuit.healthy
    }
    for name in sorted(unwell):
        news = [each for endpoint, each in called if endpoint.id == name]
        await _keep_circuit(connection, name, news, real)


async def _keep_circuit(connection: Connection, name: str, news: Sequence[Settled], real: datetime) -> None:
    held = await endpoint(connection, name)
    if held is None:
        return
    circuit = held.circuit
    for each in news:
        sent = each.delivery.state is State.SENT
        circuit = circuit.after_success() if sent else circuit.after_failure(real)
    await connection.execute(CIRCUIT, name, circuit.failures, circuit.open_until)
    gone = next((each.receipt for each in news if each.receipt is not None and each.receipt.gone), None)
    if gone is not None:
        await connection.execute(DISABLE, name, gone.detail)


async def _replace(connection: Connection, settled: Settled, now: Now) -> list[Outgoing]:
    """A delivery to nobody in particular becomes deliveries to people, now that they are known."""
    claim = settled.claim
    if not await connection.fetchval(REPLACE, settled.delivery.id, claim.token):
        return []
    added = await add_entries(connection, settled.replaced_by, now)
    return [
        finished(
            each.delivery,
            account_id=each.heard.account_id,
            touchpoint=(each.heard.touchpoint_id, each.heard.touchpoint_type),
            at=now.service,
        )
        for each in added
        if each.delivery.state.final
    ]


def _report(settled: Settled, at: datetime) -> Outgoing:
    match settled.claim:
        case WebhookClaim(account_id=account_id, touchpoint_id=touchpoint_id, touchpoint_type=kind):
            touchpoint = (touchpoint_id, kind)
        case Claim(heard=heard):
            account_id, touchpoint = heard.account_id, (heard.touchpoint_id, heard.touchpoint_type)
    return finished(settled.delivery, account_id=account_id, touchpoint=touchpoint, at=at)


def report(row: Any, now: Now) -> Outgoing:
    """The report of a delivery that a statement brought to its final state (columns in that order)."""
    recipient = Recipient(RecipientKind(row[2]), row[3])
    delivery = Delivery(str(row[0]), row[1], recipient, State(row[4]), row[5])
    return finished(delivery, account_id=row[6], touchpoint=(row[7], row[8]), at=now.service)
