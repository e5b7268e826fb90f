"""Completion of claims: deliveries, attempts, circuit breakers and reports, in one transaction.

Only the holder of the lease completes a delivery; for anyone else nothing is recorded.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.chassis.database import Connection
from services.chassis.outbox import Outbox, Outgoing
from services.notifier.adapters import subscription_repository
from services.notifier.adapters.address_repository import refuse_addresses
from services.notifier.adapters.delivery_repository import add_deliveries, post_in_app, wake_at
from services.notifier.adapters.erasure import erase_final
from services.notifier.adapters.messages import delivery_finished
from services.notifier.adapters.program_reservations import release
from services.notifier.adapters.webhook_completion import complete_delivered, split_delivered
from services.notifier.application.ports import ClaimResult, MessageClaim, Now, WebhookClaim
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.delivery import State

# Whoever holds the lease also writes the attempt, if one was made: its number is the count of attempts so far.
COMPLETE = """
WITH done AS (
    UPDATE delivery d SET state = u.state, reason = u.reason, attempts = u.attempts, next_at = u.next_at,
        rouse_at = u.rouse_at,
        waits_until = CASE WHEN u.state = 'pending' THEN coalesce(u.waits_until, d.waits_until) END,
        first_at = coalesce(d.first_at, u.tried_at), address_hash = coalesce(u.address_hash, d.address_hash),
        program_id = coalesce(u.program_id, d.program_id),
        finished_at = CASE WHEN u.state <> 'pending' THEN $1::timestamptz END,
        ambiguous = d.ambiguous OR coalesce(u.outcome = 'ambiguous', false), lease_token = NULL, lease_until = NULL,
        fold_key = CASE WHEN u.is_postponed THEN u.fold_key ELSE d.fold_key END,
        planned_at = CASE WHEN u.is_postponed THEN u.planned_at ELSE d.planned_at END,
        message_id = CASE WHEN u.is_postponed AND u.fold_key IS DISTINCT FROM d.fold_key THEN d.id ELSE d.message_id END
    FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::timestamptz[], $8::timestamptz[],
        $9::timestamptz[], $10::text[], $11::text[], $12::bytea[], $13::boolean[], $14::text[],
        $15::timestamptz[], $16::timestamptz[], $17::text[])
      AS u(id, token, state, reason, attempts, next_at, rouse_at, tried_at, outcome, detail, address_hash,
        is_postponed, fold_key, planned_at, waits_until, program_id)
    WHERE d.id = u.id AND d.lease_token = u.token AND d.state = 'pending'
    RETURNING d.id, u.attempts, u.tried_at, u.outcome, u.detail, d.erase_when_final
), tried AS (
    INSERT INTO attempt (delivery_id, number, at, outcome, detail)
    SELECT id, attempts, tried_at, outcome, detail FROM done WHERE outcome IS NOT NULL ON CONFLICT DO NOTHING
)
SELECT id::text, erase_when_final FROM done
"""
REMOVE = "DELETE FROM delivery WHERE id = $1 AND lease_token = $2 AND state = 'pending' RETURNING id"
DISABLE = "UPDATE subscription SET active = false, disabled_reason = $2 WHERE id = $1 AND active"


async def complete(
    connection: Connection, outbox: Outbox, key: AddressKey, results: Sequence[ClaimResult], now: Now
) -> None:
    """Record the results whose lease still holds, and report the deliveries that became final."""
    in_order = sorted(results, key=lambda result: result.delivery.id)
    hashes = {
        result.delivery.id: key.hash_address(result.address)
        for result in results
        if result.address is not None
    }
    completed = [result for result in in_order if not result.replacements]
    done, to_erase = await _complete_rows(connection, completed, hashes, now)
    await release(connection, done)
    await _save_circuits(connection, done, now.real)
    refused = {
        hashes[result.delivery.id]: result.attempt.detail
        for result in done
        if result.is_unknown_address and result.attempt is not None
    }
    await refuse_addresses(connection, refused)
    messages = [
        (result.delivery.id, result.delivery.recipient, result.claim.event, result.in_app)
        for result in done
        if result.in_app is not None and isinstance(result.claim, MessageClaim)
    ]
    await post_in_app(connection, messages, now.service)
    final = [result for result in done if result.delivery.state.is_final]
    erased = await erase_final(connection, to_erase) if to_erase else set[str]()
    reports = [_report(result, now.service) for result in final if result.delivery.id not in erased]
    for result in results:
        if result.replacements:
            reports += await _replace(connection, result, now)
    for result in done:
        if result.additions:
            reports += await add_deliveries(connection, result.additions, now)
    await outbox.append(connection, reports)


async def _complete_rows(
    connection: Connection, results: Sequence[ClaimResult], hashes: Mapping[str, bytes], now: Now
) -> tuple[list[ClaimResult], list[str]]:
    """The results whose lease still holds, and the ids of those that were only kept until they are final."""
    delivered, others = split_delivered(results)
    completed = dict(await _complete_any(connection, others, hashes, now)) if others else {}
    for group in delivered:
        completed.update(await complete_delivered(connection, group, now))
    done = [result for result in results if result.delivery.id in completed]
    final = [result.delivery.id for result in done if result.delivery.state.is_final]
    return done, [delivery_id for delivery_id in final if completed[delivery_id]]


async def _complete_any(
    connection: Connection, results: Sequence[ClaimResult], hashes: Mapping[str, bytes], now: Now
) -> list[tuple[str, bool]]:
    """(id, erase when final) of the results whose lease still holds."""
    attempts = [result.attempt for result in results]
    rows = await connection.fetch(
        COMPLETE,
        now.service,
        [result.delivery.id for result in results],
        [result.claim.token for result in results],
        [result.delivery.state for result in results],
        [result.delivery.reason for result in results],
        [result.delivery.attempts for result in results],
        [None if result.send_after else result.delivery.next_at for result in results],
        [_wake_at(result) for result in results],
        [attempt.at if attempt else None for attempt in attempts],
        [attempt.outcome if attempt else None for attempt in attempts],
        [attempt.detail if attempt else None for attempt in attempts],
        [hashes.get(result.delivery.id) for result in results],
        [_is_postponed(result) for result in results],
        [result.timing.fold_key if result.timing else None for result in results],
        [result.timing.planned_at if result.timing else None for result in results],
        [result.waits_until for result in results],
        [result.program_id for result in results],
    )
    return [(row[0], row[1]) for row in rows]


def _is_postponed(result: ClaimResult) -> bool:
    """Whether a message goes another time, alone or with others: it leaves the mail with which it was claimed."""
    is_pending = not result.delivery.state.is_final and result.attempt is None
    return is_pending and isinstance(result.claim, MessageClaim)


def _wake_at(result: ClaimResult) -> datetime | None:
    if isinstance(result.claim, WebhookClaim) or result.delivery.state.is_final:
        return None
    return wake_at(result.delivery.channel, result.send_after, result.claim.event)


async def _save_circuits(connection: Connection, done: Sequence[ClaimResult], real: datetime) -> None:
    """Writes only the circuits that change: a healthy endpoint that answers costs nothing."""
    attempted = [
        (result.claim.endpoint, result)
        for result in done
        if isinstance(result.claim, WebhookClaim) and result.response is not None
    ]
    changing = {
        endpoint.id
        for endpoint, result in attempted
        if result.delivery.state is not State.SENT or not endpoint.circuit.is_healthy
    }
    for endpoint_id in sorted(changing):
        results = [result for endpoint, result in attempted if endpoint.id == endpoint_id]
        await _save_circuit(connection, endpoint_id, results, real)


async def _save_circuit(
    connection: Connection, endpoint_id: str, results: Sequence[ClaimResult], real: datetime
) -> None:
    endpoint = await subscription_repository.lock_endpoint(connection, endpoint_id)
    if endpoint is None:
        return
    circuit = endpoint.circuit
    for result in results:
        is_sent = result.delivery.state is State.SENT
        circuit = circuit.after_success() if is_sent else circuit.after_failure(real)
    problem = results[-1].response.detail if results[-1].response else ""
    await subscription_repository.save_circuit(connection, endpoint_id, circuit, problem)
    gone = next((result.response for result in results if result.response and result.response.is_gone), None)
    if gone is not None:
        await connection.execute(DISABLE, endpoint_id, gone.detail)


async def _replace(connection: Connection, result: ClaimResult, now: Now) -> list[Outgoing]:
    """Replace a delivery without a recipient by deliveries to the people who are known by now."""
    if not await connection.fetchval(REMOVE, result.delivery.id, result.claim.token):
        return []
    return await add_deliveries(connection, result.replacements, now)


def _report(result: ClaimResult, at: datetime) -> Outgoing:
    match result.claim:
        case WebhookClaim(
            account_id=account_id, touchpoint_id=touchpoint_id, touchpoint_type=touchpoint_type
        ):
            touchpoint = (touchpoint_id, touchpoint_type)
        case MessageClaim(event=event):
            account_id = event.content.account_id
            touchpoint = (event.content.touchpoint_id, event.content.touchpoint_type)
    return delivery_finished(result.delivery, account_id=account_id, touchpoint=touchpoint, at=at)
