"""What a decision about a delivery depends on: the people concerned, and whether customers may be contacted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from schemas.directory import ContactRecord, CsmRecord, PreferenceRecord
from schemas.times import SendWindow
from services.notifier.domain.addresses import clean_address
from services.notifier.domain.approval import SENT_AS_WRITTEN, Approval, MessageHandling, StoredDraft
from services.notifier.domain.contact_rules import NO_RULES, ContactRules
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import DUE, Event
from services.notifier.domain.invitation import FIRST, Invitation, Queue, is_appointment
from services.notifier.domain.mode import Mode
from services.notifier.domain.people import Account
from services.notifier.domain.subscription import Subscription

NOT_SET_UP: Final[Mapping[str, str]] = {
    "sms": "no gateway for text messages is set up",
    "slack": "Slack is not set up",
    "call": "no receiver of telephone tasks is set up",
}
"""The channels that are closed unless the settings open them, and why. `call`: the tasks of calls."""


@dataclass(frozen=True, slots=True)
class Directory:
    """What is known of the people that a batch of events concerns, and the mode in force.

    `preferences` by contact id; `consents` by cleaned address, of all contacts that have or had it;
    `unknown_addresses` cleaned; `withdrawn` maps a touchpoint id to the sequence and the reason of its withdrawal;
    `notified` to the people of ours who had a mail about it.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict[str, Account])
    csms: Mapping[str, CsmRecord] = field(default_factory=dict[str, CsmRecord])
    preferences: Mapping[str, Sequence[PreferenceRecord]] = field(
        default_factory=dict[str, Sequence[PreferenceRecord]]
    )
    consents: Mapping[str, Sequence[PreferenceRecord]] = field(
        default_factory=dict[str, Sequence[PreferenceRecord]]
    )
    unknown_addresses: frozenset[str] = frozenset()
    withdrawn: Mapping[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    notified: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    mode: Mode = field(default_factory=Mode)
    sent: Mapping[str, Sequence[tuple[str, datetime]]] = field(
        default_factory=dict[str, Sequence[tuple[str, datetime]]]
    )
    """What customers got lately: types and times by account, the newest first; only where owners are written to."""
    contents: Mapping[str, str] = field(default_factory=dict[str, str])
    """Content files by key; only where messages are written."""
    programs: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """The programs that contacts got already; only where messages are written."""
    invited_types: Mapping[str, str] = field(default_factory=dict[str, str])
    """The touchpoint types of the policy in force that are put into calendars, with their channel."""
    invitations: Mapping[str, Mapping[Recipient, Invitation]] = field(
        default_factory=dict[str, Mapping[Recipient, Invitation]]
    )
    """Who has which touchpoint in their calendar, or may have, by touchpoint."""
    contact_rules: ContactRules = NO_RULES
    """What the policy in force says of contacts with customers."""
    queues: Mapping[str, Queue] = field(default_factory=dict[str, Queue])
    """Which invitations go before that of a delivery, by delivery; only where invitations are sent."""
    handlings: Mapping[str, MessageHandling] = field(default_factory=dict[str, MessageHandling])
    """The touchpoint types whose messages the policy has approved or handed off first."""
    drafts: Mapping[str, Sequence[StoredDraft]] = field(default_factory=dict[str, Sequence[StoredDraft]])
    """The drafts about touchpoints, by touchpoint; only where messages are written."""
    platforms: Sequence[Subscription] = ()
    """The active subscriptions that take messages over; only where some are handed off."""

    def draft_of(self, event: Event, delivery_id: str) -> StoredDraft | None:
        """The draft that has the message of this delivery."""
        drafts = self.drafts.get(event.content.touchpoint_id or "", ())
        return next((draft for draft in drafts if delivery_id in draft.recipients), None)

    def may_measure(self, recipient: Recipient) -> bool:
        """Whether opens and clicks of mails to this recipient may be measured: a contact who does not object."""
        return recipient.kind is RecipientKind.CONTACT and recipient.id not in self.unmeasured

    closed: Mapping[str, str] = field(default_factory=lambda: NOT_SET_UP)
    """The channels over which no customer is reached, with what to set."""
    unmeasured: frozenset[str] = frozenset()
    """The contacts who object to measuring their opens and clicks; only where messages are written."""

    def situation_of(
        self,
        event: Event,
        *,
        mail_hold: str | None = None,
        fallback_to: str | None = None,
        has_waited: bool = False,
        planned_at: datetime | None = None,
        queue: Queue | None = None,
    ) -> "Situation":
        """The situation in which this event is delivered."""
        account = self.accounts.get(event.content.account_id)
        contacts = account.contacts if account else ()
        sequence, reason = self.withdrawn.get(event.content.touchpoint_id or "", (-1, ""))
        return Situation(
            live=self.mode.allows(event.time),
            mail_hold=mail_hold,
            account=account,
            csms=self.csms,
            preferences=[
                preference
                for contact in contacts
                for preference in self.preferences.get(contact.contact_id, ())
            ],
            consents=self.consents,
            unknown_addresses=self.unknown_addresses,
            withdrawal_reason=reason if sequence > event.content.sequence else None,
            has_waited=has_waited,
            fallback_to=fallback_to,
            planned_at=planned_at,
            notified=self.notified.get(event.content.touchpoint_id or "", frozenset()),
            invites=is_appointment(event.content.touchpoint_type, event.content.channel, self.invited_types),
            invitations=self.invitations.get(event.content.touchpoint_id or "", {}),
            queue=queue or FIRST,
            send_window=self.contact_rules.window_of(event),
            handling=self.handlings.get(event.content.touchpoint_type, SENT_AS_WRITTEN)
            if event.type == DUE
            else SENT_AS_WRITTEN,
            closed=self.closed,
        )


@dataclass(frozen=True, slots=True)
class Situation:
    """What a decision depends on, besides event and time.

    `live`: customers may be contacted about it. `mail_hold`: why they get no mail, None when they do. `has_waited`: what
    the directory does not have by now it will not get. `fallback_to`: the mailbox of the deployment for work that nobody
    has. `planned_at` (service time): the moment for which the mail was planned. `notified`: the people of ours who had a
    mail about the touchpoint. `invites`: it is put into calendars. `invitations`: who has it there, or may have.
    `queue`: which invitations go before this one. `send_window`: when contacts get the message; None: whenever they have
    no quiet hours. `handling`: what the policy has done with such a message before it goes. `approval`: of the draft that
    this delivery has; None: it has none. `closed`: the channels over which no customer is reached, and why.
    """

    live: bool = True
    mail_hold: str | None = None
    account: Account | None = None
    csms: Mapping[str, CsmRecord] = field(default_factory=dict[str, CsmRecord])
    preferences: Sequence[PreferenceRecord] = ()
    consents: Mapping[str, Sequence[PreferenceRecord]] = field(
        default_factory=dict[str, Sequence[PreferenceRecord]]
    )
    unknown_addresses: frozenset[str] = frozenset()
    withdrawal_reason: str | None = None
    has_waited: bool = False
    fallback_to: str | None = None
    planned_at: datetime | None = None
    notified: frozenset[str] = frozenset()
    invites: bool = False
    invitations: Mapping[Recipient, Invitation] = field(default_factory=dict[Recipient, Invitation])
    queue: Queue = FIRST
    send_window: SendWindow | None = None
    handling: MessageHandling = SENT_AS_WRITTEN
    approval: Approval | None = None
    closed: Mapping[str, str] = field(default_factory=lambda: NOT_SET_UP)

    @property
    def needs_approval(self) -> bool:
        """Whether the message still has to be approved: it is written at any hour."""
        if self.approval is not None:
            return not self.approval.is_decided
        return self.handling.approve

    def contact(self, contact_id: str | None) -> ContactRecord | None:
        contacts = self.account.contacts if self.account else ()
        return next((contact for contact in contacts if contact.contact_id == contact_id), None)

    def same_person(self, contact: ContactRecord) -> Sequence[str]:
        """The ids of the account's contacts with the address of this one, which is among them."""
        if self.account is None or not contact.email:
            return [contact.contact_id]
        return self.account.ids_by_address[clean_address(contact.email)]
