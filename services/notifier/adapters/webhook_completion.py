"""Completion of webhooks: nearly all of them were delivered, with little to write down of each."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.chassis.database import Connection
from services.chassis.outbox import Outbox, Outgoing
from services.notifier.adapters import subscription_repository
from services.notifier.adapters.completion_rows import CompletedRow, complete_rows
from services.notifier.adapters.erasure import erase_final
from services.notifier.adapters.messages import delivery_finished, webhooks_sent
from services.notifier.application.deliver_webhooks import after_response
from services.notifier.application.ports import Now, WebhookResult
from services.notifier.domain.delivery import AttemptOutcome, Delivery

# As `FINISH` of `completion_rows`, with what is the same for all as one value. The answer is of the exceptions: those
# whose lease did not hold (false), and those that were only kept until they are final (true).
SENT = """
WITH u AS MATERIALIZED (
    SELECT * FROM unnest($3::uuid[], $4::timestamptz[]) AS u(id, tried_at)
), gone AS (
    DELETE FROM delivery_queue q USING u WHERE q.delivery_id = u.id AND q.lease_token = $2
    RETURNING q.delivery_id, q.caused_at, q.attempts + 1 AS attempts, q.ambiguous, q.erase_when_final, u.tried_at
), record AS (
    UPDATE delivery d SET state = 'sent', reason = $5, attempts = g.attempts, tried_at = g.tried_at, finished_at = $1,
        ambiguous = g.ambiguous
    FROM gone g WHERE d.id = g.delivery_id AND d.caused_at = g.caused_at
)
SELECT u.id::text, false FROM u LEFT JOIN gone g ON g.delivery_id = u.id WHERE g.delivery_id IS NULL
UNION ALL SELECT delivery_id::text, true FROM gone WHERE erase_when_final
"""
DISABLE = "UPDATE subscription SET active = false, disabled_reason = $2 WHERE id = $1 AND active"


async def complete_webhooks(
    connection: Connection, outbox: Outbox, results: Sequence[WebhookResult], now: Now
) -> None:
    """Record the results whose lease still holds, and report the deliveries that became final."""
    groups, others = _split(results)
    reports: list[Outgoing] = []
    done: list[WebhookResult] = []
    for group in groups:
        recorded, outgoing = await _record_delivered(connection, group, now)
        done += recorded
        reports += outgoing
    if others:
        recorded, outgoing = await _record_others(connection, others, now)
        done += recorded
        reports += outgoing
    await _save_circuits(connection, done, now.real)
    await outbox.append(connection, reports)


def _split(results: Iterable[WebhookResult]) -> tuple[Iterable[list[WebhookResult]], list[WebhookResult]]:
    """Delivered webhooks by lease and answer, and the other results, each in the order of the ids."""
    groups: dict[tuple[str, str], list[WebhookResult]] = {}
    others: list[WebhookResult] = []
    for result in sorted(results, key=lambda result: result.claim.delivery_id):
        if result.response.outcome is AttemptOutcome.DELIVERED:
            groups.setdefault((result.claim.token, result.response.detail), []).append(result)
        else:
            others.append(result)
    return groups.values(), others


async def _record_delivered(
    connection: Connection, group: list[WebhookResult], now: Now
) -> tuple[list[WebhookResult], list[Outgoing]]:
    first = group[0]
    exceptions = await connection.fetch(
        SENT,
        now.service,
        first.claim.token,
        [result.claim.delivery_id for result in group],
        [result.at for result in group],
        first.response.detail,
    )
    if not exceptions:
        return group, webhooks_sent(group, now.service)
    lost = {row[0] for row in exceptions if not row[1]}
    erased = {row[0] for row in exceptions if row[1]}
    done = [result for result in group if result.claim.delivery_id not in lost]
    if erased:
        await erase_final(connection, sorted(erased))
    kept = [result for result in done if result.claim.delivery_id not in erased]
    return done, webhooks_sent(kept, now.service)


async def _record_others(
    connection: Connection, results: Sequence[WebhookResult], now: Now
) -> tuple[list[WebhookResult], list[Outgoing]]:
    after = [(result, *after_response(result)) for result in results]
    rows = [
        CompletedRow(delivery, result.claim.token, attempt, next_at=delivery.next_at)
        for result, delivery, attempt in after
    ]
    completed = await complete_rows(connection, rows, now.service)
    erased = {delivery_id for delivery_id, marks in completed.items() if marks.is_erased}
    if erased:
        await erase_final(connection, sorted(erased))
    reports = [
        _report(result, delivery, now.service)
        for result, delivery, _ in after
        if delivery.state.is_final and delivery.id in completed.keys() - erased
    ]
    return [result for result in results if result.claim.delivery_id in completed], reports


def _report(result: WebhookResult, delivery: Delivery, at: datetime) -> Outgoing:
    claim = result.claim
    touchpoint = (claim.touchpoint_id, claim.touchpoint_type)
    return delivery_finished(delivery, account_id=claim.account_id, touchpoint=touchpoint, at=at)


async def _save_circuits(connection: Connection, done: Sequence[WebhookResult], real: datetime) -> None:
    """Writes only the circuits that change: a healthy endpoint that answers costs nothing."""
    changing = {
        result.claim.endpoint.id
        for result in done
        if result.response.outcome is not AttemptOutcome.DELIVERED
        or not result.claim.endpoint.circuit.is_healthy
    }
    for endpoint_id in sorted(changing):
        results = [result for result in done if result.claim.endpoint.id == endpoint_id]
        await _save_circuit(connection, endpoint_id, results, real)


async def _save_circuit(
    connection: Connection, endpoint_id: str, results: Sequence[WebhookResult], real: datetime
) -> None:
    endpoint = await subscription_repository.lock_endpoint(connection, endpoint_id)
    if endpoint is None:
        return
    circuit = endpoint.circuit
    for result in results:
        is_sent = result.response.outcome is AttemptOutcome.DELIVERED
        circuit = circuit.after_success() if is_sent else circuit.after_failure(real)
    await subscription_repository.save_circuit(connection, endpoint_id, circuit, results[-1].response.detail)
    gone = next((result.response for result in results if result.response.is_gone), None)
    if gone is not None:
        await connection.execute(DISABLE, endpoint_id, gone.detail)
