"""Setting up as steps, each with what was found of it: data, people, connectors, mail, policy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.console import labels
from services.console.json_fields import Json, instant, items, nested, number, text
from services.console.people import Person
from services.console.sample.accounts import ACCOUNTS
from services.console.shared_reads import Read

State = Literal["done", "next", "waiting", "problem", "unknown"]
_WORDS: Final[Mapping[State, tuple[str, str]]] = {
    "done": ("done", "good"),
    "next": ("to do", "due"),
    "waiting": ("waiting", "waiting"),
    "problem": ("problem", "bad"),
    "unknown": ("not known", "quiet"),
}
SAMPLE_IDS: Final = frozenset(account.id for account in ACCOUNTS)
_OWN: Final = (
    "drumbeat import csms.csv",
    "drumbeat import accounts.csv",
    "drumbeat import contacts.csv",
    "drumbeat import contracts.csv",
)
_CONNECTOR: Final = (
    "DRUMBEAT_WEBHOOKS__HUBSPOT__SECRET=the app's client secret",
    "DRUMBEAT_WEBHOOKS__HUBSPOT__URL=https://drumbeat.example.com/v1/webhooks/hubspot",
)
_RELAY: Final = (
    "DRUMBEAT_EMAIL__HOST=smtp.example.com",
    "DRUMBEAT_EMAIL__FROM=Example <success@example.com>",
    "DRUMBEAT_PUBLIC_URL=https://drumbeat.example.com",
    "DRUMBEAT_ORGANIZATION__NAME=Example Ltd",
    "DRUMBEAT_ORGANIZATION__POSTAL_ADDRESS=1 Example Street, Example Town",
)
_POLICY: Final = (
    "drumbeat policy check my-policy",
    "drumbeat policy simulate my-policy",
    "drumbeat policy publish my-policy",
)


@dataclass(frozen=True, slots=True)
class Step:
    """`found`: what the check found, in sentences; `lines`: commands or settings to copy."""

    id: str
    title: str
    state: State
    found: Sequence[str]
    advice: str = ""
    lines: Sequence[str] = ()

    @property
    def word(self) -> str:
        return _WORDS[self.state][0]

    @property
    def tone(self) -> str:
        return _WORDS[self.state][1]


@dataclass(frozen=True, slots=True)
class Found:
    """What the APIs answered about the installation."""

    accounts: Read
    people: Mapping[str, Person]
    sources: Read
    channels: Read
    policy: Read
    mode: str


def setup_steps(found: Found, now: datetime) -> list[Step]:
    """In the order in which they are best done. `now`: real time."""
    account_ids = [text(item, "id") for item in items(found.accounts.document or {})]
    return [
        _data_step(found.accounts, account_ids),
        _people_step(found.people),
        _connector_step(found.sources, now),
        _mail_step(found.channels, found.mode),
        _policy_step(found.policy),
    ]


def sample_ids(accounts: Read) -> list[str]:
    """The accounts of the sample book that are there."""
    return [each for item in items(accounts.document or {}) if (each := text(item, "id")) in SAMPLE_IDS]


def _data_step(read: Read, account_ids: Collection[str]) -> Step:
    title = "Your accounts"
    if read.document is None:
        return Step("data", title, "unknown", [read.error])
    own = [each for each in account_ids if each not in SAMPLE_IDS]
    more = " or more" if read.document.get("next_cursor") else ""
    advice = (
        "Look around with the sample book, or load what you have: a spreadsheet as CSV, in any order of columns."
        " Customers get nothing about what is past, and a dry run says what they would get."
    )
    if own:
        sample = len(account_ids) - len(own)
        found = [f"{labels.count(len(own), 'account')}{more} of your own."]
        found += [f"{labels.count(sample, 'account')} of the sample book besides."] if sample else []
        return Step("data", title, "done", found)
    if account_ids:
        return Step("data", title, "waiting", ["Only the sample book is loaded."], advice, _OWN)
    return Step("data", title, "next", ["There are no accounts yet."], advice, _OWN)


def _people_step(people: Mapping[str, Person]) -> Step:
    title = "Who looks after them"
    advice = "Each customer success manager has a time zone, working hours and an address for mail."
    if not people:
        return Step("people", title, "next", ["Nobody is described yet."], advice, _OWN[:1])
    without = sorted(person.name for person in people.values() if not person.email)
    found = ["One person is described." if len(people) == 1 else f"{len(people)} people are described."]
    if without:
        names = ", ".join(without[:5]) + (" and others" if len(without) > 5 else "")
        return Step(
            "people", title, "problem", [*found, f"Without an address for mail: {names}."], advice, _OWN[:1]
        )
    return Step("people", title, "done", found)


def _connector_step(read: Read, now: datetime) -> Step:
    title = "A system that sends by itself"
    advice = (
        "HubSpot, Salesforce, Stripe, Segment and any sender of Standard Webhooks keep accounts and renewal dates up to"
        " date; docs/connectors.md has each of them. Set these for the rules engine and start it again."
    )
    if read.document is None:
        return Step("connector", title, "unknown", [read.error])
    sources = items(read.document)
    if not sources:
        return Step("connector", title, "next", ["No source is configured."], advice, _CONNECTOR)
    received = [source for source in sources if number(source, "received")]
    state: State = "done" if received else "waiting"
    if any(_was_rejected_last(source) for source in sources):
        state = "problem"
    return Step("connector", title, state, [_source_text(source, now) for source in sources])


def _was_rejected_last(source: Json) -> bool:
    rejected, received = instant(nested(source, "last_rejected"), "at"), instant(source, "last_received_at")
    return rejected is not None and (received is None or rejected > received)


def _source_text(source: Json, now: datetime) -> str:
    name = text(source, "source")
    if _was_rejected_last(source):
        return f"{name}: the last request was refused: {text(nested(source, 'last_rejected'), 'reason')}"
    at = instant(source, "last_received_at")
    if at is None:
        return f"{name}: configured; nothing has come in yet at {text(source, 'url')}."
    return f"{name}: {number(source, 'received')} received, the last {labels.relative(at, now)}."


def _mail_step(read: Read, mode: str) -> Step:
    title = "A sender"
    advice = "Until then mail is stored on this machine. Set these for the notifier and start it again."
    if read.document is None:
        return Step("mail", title, "unknown", [read.error])
    mail = nested(read.document, "mail")
    relay, problem, hold = text(mail, "relay"), text(read.document, "problem"), text(mail, "on_hold")
    if not relay:
        return Step(
            "mail", title, "next", ["No mail relay is set: no mail leaves this machine."], advice, _RELAY
        )
    if problem:
        return Step("mail", title, "problem", [labels.capitalized(problem) + "."])
    found = [f"The mail relay {relay} answers. Mail comes from {text(mail, 'sender')}."]
    if redirected := text(mail, "redirect_to"):
        found.append(f"All mail goes to {redirected} instead of the people it is for.")
    if hold:
        return Step("mail", title, "problem", [*found, f"Customers get no mail: {hold}."])
    if mode not in ("", "live"):
        found.append(f"The mode is {mode}: nothing reaches customers until `drumbeat mode live`.")
    return Step("mail", title, "done", found)


def _policy_step(read: Read) -> Step:
    title = "Your policy"
    advice = (
        "The shipped policy works as it is. The page Policy shows it, edits it and says what a change would do."
        " So do these commands for a folder of files."
    )
    if read.document is None:
        return Step("policy", title, "unknown", [read.error])
    (newest, *_) = items(read.document, "versions") or [read.document]
    author = text(newest, "author")
    is_published = text(newest, "origin") not in ("", "file")
    by = f" by {author}" if author and is_published else ""
    origin = f"published{by}" if is_published else "from the files at the start"
    found = [f"Version {number(read.document, 'version')} is in force, {origin}."]
    return Step("policy", title, "done", found, advice, _POLICY)
