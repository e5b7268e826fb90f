"""What came in about mails of ours: found by delivery, and stored with its facts and news in one transaction."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.outbox import Outbox, Outgoing
from services.notifier.adapters import merging
from services.notifier.adapters.directory_repository import load_accounts
from services.notifier.adapters.inbound_messages import facts_of
from services.notifier.adapters.invitation_repository import is_declined_by_all, save_answer
from services.notifier.adapters.objection_repository import load_objections
from services.notifier.adapters.people_repository import load_person
from services.notifier.adapters.service_mail_repository import ServiceMailRepository
from services.notifier.adapters.undelivered_texts import send_by_mail
from services.notifier.application.answer_news import AnswerMessage, AnswerParties, AnswerWriter, write_answer
from services.notifier.application.ports import Now
from services.notifier.application.receive_mail import InboundResult, Received, receive_mail
from services.notifier.application.service_mail import MailKind
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.contact_channel import SMS
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.inbound_decision import AnsweredMail, InboundDecision, InvitationAnswer
from services.notifier.domain.inbound_mail import InboundMail

ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
COUNTED: Final = "SELECT kind, counted, delivery_id::text, reason FROM inbound_mail WHERE id = $1 AND counted"
_MAIL: Final = """
SELECT d.id::text, d.channel, d.recipient_kind, d.recipient_id, d.account_id, d.touchpoint_id, d.touchpoint_type,
    coalesce(d.address_hash, c.address_hash) AS address_hash, i.sequence, i.starts_at, i.organizer_id,
    coalesce(i.is_cancelled, false)
FROM delivery d
LEFT JOIN contact c ON d.recipient_kind = 'contact' AND c.contact_id = d.recipient_id
LEFT JOIN invitation i ON d.channel = 'calendar' AND i.touchpoint_id = d.touchpoint_id
    AND i.recipient_kind = d.recipient_kind AND i.recipient_id = d.recipient_id
WHERE d.recipient_id IS NOT NULL AND d.channel IN ('email', 'calendar', 'sms')
"""
BY_ID: Final = f"{_MAIL} AND d.id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], d.id) LIMIT 1"
INVITATION: Final = f"""
{_MAIL} AND d.touchpoint_id = $1 AND d.channel = 'calendar'
ORDER BY coalesce(coalesce(d.address_hash, c.address_hash) = ANY($2::bytea[]), false) DESC, d.seq DESC LIMIT 1
"""
BY_PROVIDER: Final = """
SELECT delivery_id::text FROM inbound_mail WHERE provider_id = ANY($1) AND delivery_id IS NOT NULL
ORDER BY array_position($1, provider_id) LIMIT 1
"""
# The deliveries that went in the mail of this one.
IN_ONE_MAIL: Final = """
SELECT d.id::text, d.touchpoint_id FROM delivery d
WHERE d.state = 'sent' AND d.message_id = (SELECT message_id FROM delivery WHERE id = $1)
    AND (d.id = (SELECT message_id FROM delivery WHERE id = $1) OR d.message_id <> d.id)
"""
SAVE: Final = """
INSERT INTO inbound_mail
    (id, kind, delivery_id, account_id, recipient_kind, recipient_id, counted, reason, provider_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE SET delivery_id = excluded.delivery_id, account_id = excluded.account_id,
    recipient_kind = excluded.recipient_kind, recipient_id = excluded.recipient_id, counted = excluded.counted,
    reason = excluded.reason
"""
POST_IN_APP: Final = """
INSERT INTO in_app (id, recipient_kind, recipient_id, account_id, touchpoint_id, touchpoint_type, title, body, due_at, at)
VALUES ($1, 'csm', $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class InboundRepository:
    """Implements the port `Inbound`. `reported` is called when facts were stored.

    `measured`: the kinds of engagement that are, `opened` and `clicked`.
    """

    database: Database
    outbox: Outbox
    clock: ServiceClock
    addresses: AddressKey
    mails: ServiceMailRepository
    writer: AnswerWriter
    reported: Callable[[], None]
    measured: frozenset[str] = frozenset()

    async def receive(self, mail: InboundMail) -> InboundResult:
        async with self.database.transaction() as connection:
            result = await self.receive_in(connection, mail)
        self.reported()
        return result

    async def receive_in(self, connection: Connection, mail: InboundMail) -> InboundResult:
        """The same inside a transaction, after which the caller calls `reported`."""
        real = await real_now(connection)
        work = _Work(connection, self, Now(real, self.clock.at(real)))
        return await receive_mail(mail, work=work, addresses=self.addresses, measured=self.measured)


@dataclass(frozen=True, slots=True)
class _Work:
    """Implements the port `InboundWork` on one connection that is inside a transaction."""

    connection: Connection
    repository: InboundRepository
    now: Now

    async def begin(self, id_: str) -> InboundResult | None:
        await merging.keep_merges_out(self.connection)
        await self.connection.execute(ONE_AT_A_TIME, id_)
        row = await self.connection.fetchrow(COUNTED, id_)
        return InboundResult(*row) if row is not None else None

    async def find_mail(self, delivery_ids: Sequence[str]) -> AnsweredMail | None:
        return _mail(await self.connection.fetchrow(BY_ID, list(delivery_ids)))

    async def find_delivery(self, provider_ids: Sequence[str]) -> str | None:
        return await self.connection.fetchval(BY_PROVIDER, list(provider_ids))

    async def find_invitation(self, touchpoint_id: str, addresses: Collection[bytes]) -> AnsweredMail | None:
        return _mail(await self.connection.fetchrow(INVITATION, touchpoint_id, list(addresses)))

    async def objects_to_measuring(self, contact_id: str) -> bool:
        return bool(await load_objections(self.connection, [contact_id]))

    async def record(self, received: Received) -> None:
        mail, decision = received.mail, received.decision
        reports, note = await self._send_by_mail(mail, decision)
        await self._save(received, note)
        await self.repository.outbox.append(self.connection, reports)
        if mail is None or not decision.counts:
            return
        declined_by_all = await self._answered(decision.answer, mail) if decision.answer else None
        at = self.repository.clock.at(received.at) if received.at is not None else self.now.service
        mails = [mail] if decision.is_automatic is None else await self._in_one_mail(mail)
        facts = [
            fact for one in mails for fact in facts_of(received, one, at, declined_by_all=declined_by_all)
        ]
        await self.repository.outbox.append(self.connection, facts)
        if decision.news is not None:
            await self._notify(received, mail)

    async def _in_one_mail(self, mail: AnsweredMail) -> list[AnsweredMail]:
        """Who opens a mail opens all messages in it."""
        rows = await self.connection.fetch(IN_ONE_MAIL, mail.delivery_id)
        return [replace(mail, delivery_id=row[0], touchpoint_id=row[1]) for row in rows] or [mail]

    async def _answered(self, answer: InvitationAnswer, mail: AnsweredMail) -> bool:
        """Store what a contact answered; whether everybody who is invited has declined."""
        touchpoint_id = mail.touchpoint_id or ""
        reader = (touchpoint_id, mail.recipient.kind, mail.recipient.id)
        await save_answer(self.connection, reader, answer)
        return await is_declined_by_all(self.connection, touchpoint_id)

    async def _send_by_mail(
        self, mail: AnsweredMail | None, decision: InboundDecision
    ) -> tuple[Sequence[Outgoing], str | None]:
        """A text message to a contact that was not delivered goes by mail; why it does not."""
        is_undelivered = decision.engagement == "bounced" and mail is not None and mail.channel == SMS
        if mail is None or not is_undelivered or not mail.is_to_contact:
            return (), None
        return await send_by_mail(self.connection, mail.delivery_id, mail.recipient, self.now)

    async def _save(self, received: Received, note: str | None) -> None:
        result, mail = received.result, received.mail
        await self.connection.execute(
            SAVE,
            received.id,
            result.kind,
            result.delivery_id,
            mail.account_id if mail else None,
            mail.recipient.kind if mail else None,
            mail.recipient.id if mail else None,
            result.counted,
            result.reason or note,
            received.provider_id,
        )

    async def _notify(self, received: Received, mail: AnsweredMail) -> None:
        """Post it in the feed of who leads it, and take in a mail to them, else to the mailbox of the deployment."""
        news, repository = received.decision.news, self.repository
        if news is None:
            return
        parties = await self._parties(mail)
        message = write_answer(news, mail, parties, repository.writer, self.now.real)
        if parties.person is not None:
            await self._post(received.id, parties.person.csm_id, mail, message)
        address = parties.person.email if parties.person else repository.writer.fallback_to
        if address is not None:
            data = message.write().decode()
            await repository.mails.add(self.connection, MailKind.ANSWER, address, data, self.now.real)

    async def _parties(self, mail: AnsweredMail) -> AnswerParties:
        account = (await load_accounts(self.connection, [mail.account_id])).get(mail.account_id)
        contacts = account.contacts if account else ()
        contact = next((one for one in contacts if one.contact_id == mail.recipient.id), None)
        for person_id in (mail.organizer_id, account.csm_id if account else None):
            person = await load_person(self.connection, person_id) if person_id else None
            if person is not None:
                return AnswerParties(account, contact, person)
        return AnswerParties(account, contact, None)

    async def _post(self, id_: str, csm_id: str, mail: AnsweredMail, message: AnswerMessage) -> None:
        in_app, touchpoint = message.in_app, (mail.touchpoint_id, mail.touchpoint_type)
        texts = (in_app.title, in_app.body, mail.starts_at, self.now.service)
        await self.connection.execute(POST_IN_APP, id_, csm_id, mail.account_id, *touchpoint, *texts)


def _mail(row: Any) -> AnsweredMail | None:
    if row is None:
        return None
    recipient = Recipient(RecipientKind(row[2]), row[3])
    return AnsweredMail(row[0], row[1], recipient, *row[4:12])
