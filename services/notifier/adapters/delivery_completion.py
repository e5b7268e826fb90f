"""Completion of claimed messages: deliveries, attempts, in-app messages and reports, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.chassis.database import Connection
from services.chassis.outbox import Outbox, Outgoing
from services.notifier.adapters import contact_budget_repository
from services.notifier.adapters.address_repository import refuse_addresses
from services.notifier.adapters.completion_rows import CompletedRow, complete_rows
from services.notifier.adapters.content_repository import add_programs
from services.notifier.adapters.delivery_repository import add_deliveries, post_in_app, wake_at
from services.notifier.adapters.draft_repository import save_drafts
from services.notifier.adapters.erasure import erase_final
from services.notifier.adapters.hand_off_repository import keep_hand_offs
from services.notifier.adapters.invitation_repository import save_invitations
from services.notifier.adapters.merging import keep_merges_out
from services.notifier.adapters.messages import report_finished
from services.notifier.adapters.program_reservations import release
from services.notifier.application.ports import ClaimResult, Now
from services.notifier.domain.address_refusal import codes_of
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.delivery import State

REMOVE = """
WITH gone AS (
    DELETE FROM delivery_queue WHERE delivery_id = $1 AND lease_token = $2 RETURNING delivery_id, caused_at
)
DELETE FROM delivery d USING gone g WHERE d.id = g.delivery_id AND d.caused_at = g.caused_at RETURNING d.id
"""


async def complete(
    connection: Connection, outbox: Outbox, key: AddressKey, results: Sequence[ClaimResult], now: Now
) -> list[ClaimResult]:
    """Record the results whose lease still holds, and report the deliveries that became final.

    Returns those whose mail may be kept: recorded here, and naming nobody who was erased meanwhile.
    """
    await keep_merges_out(connection)
    in_order = sorted(results, key=lambda result: result.delivery.id)
    hashes = {
        result.delivery.id: key.hash_address(result.address)
        for result in results
        if result.address is not None
    }
    rows = [_row(result, hashes) for result in in_order if not result.replacements]
    completed = await complete_rows(connection, rows, now.service)
    done = [result for result in in_order if result.delivery.id in completed]
    await release(connection, done)
    await contact_budget_repository.settle(connection, done, now)
    await _record_effects(connection, done, hashes, now)
    final = [result for result in done if result.delivery.state.is_final]
    erased = {result.delivery.id for result in final if completed[result.delivery.id].is_erased}
    if erased:
        await erase_final(connection, sorted(erased))
    kept = [result for result in final if result.delivery.id not in erased]
    reports = [report for result in kept for report in _report(result, now.service)]
    for result in results:
        if result.replacements:
            reports += await _replace(connection, result, now)
    for result in done:
        if result.additions:
            reports += await add_deliveries(connection, result.additions, now)
    await outbox.append(connection, reports)
    naming = {result.claim.message_id for result in done if completed[result.delivery.id].is_naming_erased}
    return [result for result in done if result.claim.message_id not in naming]


async def _record_effects(
    connection: Connection, done: Sequence[ClaimResult], hashes: Mapping[str, bytes], now: Now
) -> None:
    """Refused addresses, in-app messages, the programs that contacts got, what calendars have, and drafts."""
    refused = {
        hashes[result.delivery.id]: codes_of(result.attempt.detail)
        for result in done
        if result.is_unknown_address and result.attempt is not None
    }
    await refuse_addresses(connection, refused)
    messages = [
        (result.delivery.id, result.delivery.recipient, result.claim.event, result.in_app)
        for result in done
        if result.in_app is not None
    ]
    await post_in_app(connection, messages, now.service)
    presented = {
        (result.delivery.recipient.id or "", result.program_id)
        for result in done
        if result.program_id is not None and result.delivery.state is State.SENT
    }
    await add_programs(connection, presented, now.service)
    await save_invitations(connection, done, now.service)
    await save_drafts(connection, done, now)


def _row(result: ClaimResult, hashes: Mapping[str, bytes]) -> CompletedRow:
    delivery, claim, timing = result.delivery, result.claim, result.timing
    is_final = delivery.state.is_final
    return CompletedRow(
        delivery,
        claim.token,
        result.attempt,
        address_hash=hashes.get(delivery.id),
        next_at=None if result.send_after else delivery.next_at,
        wake_at=None if is_final else wake_at(delivery.channel, result.send_after, claim.event),
        waits_until=result.waits_until,
        is_postponed=not is_final and result.attempt is None,
        fold_key=(timing.fold_key or None) if timing else None,
        planned_at=timing.planned_at if timing else None,
    )


async def _replace(connection: Connection, result: ClaimResult, now: Now) -> list[Outgoing]:
    """Replace a delivery without a recipient by deliveries to the people who are known by now."""
    if not await connection.fetchval(REMOVE, result.delivery.id, result.claim.token):
        return []
    await keep_hand_offs(connection, result.replacements)
    return await add_deliveries(connection, result.replacements, now)


def _report(result: ClaimResult, at: datetime) -> list[Outgoing]:
    content = result.claim.event.content
    touchpoint = (content.touchpoint_id, result.claim.event.message_type)
    return report_finished(result.delivery, account_id=content.account_id, touchpoint=touchpoint, at=at)
