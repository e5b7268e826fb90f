"""Erase an account or a contact: it disappears from the engine, and tombstones make the other services erase theirs."""

from typing import Protocol

from services.cadence.account import micros
from services.cadence.account.codec import decode
from services.cadence.account.erasure import erase_contact, is_known
from services.cadence.account.homes import descriptions_of
from services.cadence.account.verdicts import erase_addresses
from services.rules_engine.application.ports import UnitOfWork
from services.rules_engine.application.replan_account import publish_records, record_plans, replan_account
from services.rules_engine.domain.account import Clocks, EvaluationContext


class Erasures(Protocol):
    """Erase; both answer `{account_id, contact_id, erased_at, topics_clear_by, ages_out[{topic, by}]}`.

    Times are of the real clock. `ages_out`: the topics that may still have records about it, each until when;
    `topics_clear_by`: the last of these moments. Raise `NotFound`.
    Erasing again answers the same.
    """

    async def erase_account(self, account_id: str) -> dict[str, object]: ...

    async def erase_contact(self, account_id: str, contact_id: str) -> dict[str, object]: ...


class CsmErasures(Protocol):
    async def erase_csm(self, csm_id: str) -> dict[str, object]:
        """As `Erasures`, with `csm_id` for the account and the contact. Accounts keep the id. Raises `NotFound`."""
        ...


async def forget_contact(
    work: UnitOfWork, account_id: str, contact_id: str, context: EvaluationContext, clocks: Clocks
) -> tuple[int, str | None] | None:
    """Erase a contact of an existing account from its facts, plan and directory record, in the caller's transaction.

    Returns until when facts about the contact are ignored (microseconds) and its address; None when nothing is known of
    the contact. Raises `UnreadableState`.
    """
    account = (await work.accounts([account_id]))[account_id]
    state = decode(account_id, account.state)
    if not is_known(state.facts, contact_id):
        return None
    described = descriptions_of(state.facts, contact_id).values()
    email = next((fields["email"] for fields in described if "email" in fields), None)
    erase_contact(state.facts, contact_id, micros(clocks.service))
    erase_addresses(state.issued.verdicts)
    account.directory_changed = True
    new_plan = replan_account(account, state, context, clocks, ())
    account.take_state(state, context)
    await publish_records(work, [account], context, clocks)
    await work.save([account])
    await record_plans(work, [] if new_plan is None else [new_plan], publish=context.publish)
    return micros(clocks.service), None if email is None else str(email)
