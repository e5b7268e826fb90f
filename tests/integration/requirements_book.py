"""The book of accounts behind the requirements: each is in one situation that a requirement speaks of."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.stack import event

Event = dict[str, Any]
ENTERPRISE, MID_MARKET, SMALL, SELF_SERVICE = 250_000, 50_000, 5_000, 500
STANDARD = {
    "std-enterprise": ENTERPRISE,
    "std-mid": MID_MARKET,
    "std-small": SMALL,
    "std-self": SELF_SERVICE,
}
RED = {"red-enterprise": ENTERPRISE, "red-mid": MID_MARKET, "red-small": SMALL, "red-self": SELF_SERVICE}
RETAIL = ("retail-one", "retail-two", "retail-three")
GROWING = ("seats", "limits", "spike", "growing", "signal")


class Book:
    """Makes events with ids of their own; times are spans of days from `now`, most of them ago."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.events: list[Event] = []

    def tell(self, kind: str, account: str, days: float = 0, /, **data: Any) -> None:
        identity = f"{account}-{kind}-{len(self.events)}"
        at = self.now + timedelta(days=days)
        self.events.append(event(kind, account, data, id=identity, time=at))

    def account(self, name: str, arr: int, /, *, started: int = 400, renews: int = 330, **more: Any) -> None:
        """An account with a contract and two contacts, known since it started."""
        led = {} if arr < MID_MARKET else {"csm_id": "dana"}
        self.tell("account.described", name, -started, **{"name": name, "arr": arr, **led, **more})
        for role in ("champion", "decision_maker"):
            contact = f"{name}-{role}"
            self.tell(
                "contact.described", name, -started,
                contact_id=contact, name=contact, email=f"{contact}@customer.example", role=role,
            )  # fmt: skip
        self.contract(name, -started, status="active", starts=-started, renews=renews)

    def contract(
        self, name: str, days: float, /, *, status: str, starts: int, renews: int, **more: Any
    ) -> None:
        self.tell(
            "contract.changed", name, days,
            contract_id=f"{name}-contract", status=status,
            starts_on=self._date(starts), renews_on=self._date(renews), **more,
        )  # fmt: skip

    def instant(self, days: float) -> str:
        return (self.now + timedelta(days=days)).isoformat().replace("+00:00", "Z")

    def week(self, name: str, ends: float, /, **data: Any) -> None:
        """Usage of the week that ended so many days ago."""
        begins, ended = self.instant(ends - 7), self.instant(ends)
        self.tell("usage.reported", name, ends, period_start=begins, period_end=ended, **data)

    def _date(self, days: int) -> str:
        return (self.now + timedelta(days=days)).date().isoformat()


def standing(now: datetime) -> list[Event]:
    """Everything that is told at an unhurried clock: plans, and what answers within two days."""
    book = Book(now)
    book.tell("csm.described", "dana", -500, name="Dana", email="dana@drumbeat.example")
    for name, arr in STANDARD.items():
        book.account(name, arr)
        book.tell("health.scored", name, -1 / 24, score=90)
    for name, arr in RED.items():
        book.account(name, arr)
        book.tell("health.scored", name, -1 / 24, score=20)
    book.account("recovered", MID_MARKET)
    book.tell("health.scored", "recovered", -30, score=20)
    book.tell("health.scored", "recovered", -1 / 24, score=90)
    book.account("yellow", MID_MARKET)
    book.tell("health.scored", "yellow", -1 / 24, score=55)
    _starting(book)
    _growing(book)
    _happy(book)
    _people(book)
    _history(book)
    _seasons(book)
    return book.events


def _starting(book: Book) -> None:
    book.account("complex", MID_MARKET, started=100, renews=600, complexity="complex")
    book.account("live", MID_MARKET, started=60)
    book.tell("milestone.reached", "live", -1 / 24, milestone="go-live", kind="go_live")
    name = "signed"
    book.tell("account.described", name, -2, name=name, arr=ENTERPRISE, csm_id="dana")
    book.contract(name, -1 / 24, status="signed", starts=1, renews=366, signed_at=book.instant(-1 / 24))


def _growing(book: Book) -> None:
    for name in GROWING:
        book.account(name, MID_MARKET)
    book.week("seats", -1 / 24, seats=100, seats_used=92)
    book.week("limits", -1 / 24, limits={"rows": {"used": 95, "limit": 100}})
    for week in range(5):
        book.week("spike", week * 7 - 28 - 1 / 24, events=3_000 if week == 4 else 1_000)
    book.week("growing", -3, seats=100, seats_used=85)
    book.tell("milestone.reached", "growing", -1 / 24, milestone="first million", kind="success")
    book.tell("expansion.signalled", "signal", -2 / 24, signal="team_growth")
    book.tell("expansion.signalled", "signal", -1 / 24, signal="advanced_feature")
    book.account("eager", MID_MARKET)
    book.tell("nps.answered", "eager", -2 / 24, score=10)
    book.tell("expansion.signalled", "eager", -1 / 24, signal="team_growth")


def _happy(book: Book) -> None:
    book.account("promoter", MID_MARKET)
    book.tell("nps.answered", "promoter", -1 / 24, score=9)
    book.account("passive", MID_MARKET)
    book.tell("nps.answered", "passive", -1 / 24, score=8)
    book.account("successful", MID_MARKET)
    book.tell("milestone.reached", "successful", -2, milestone="first year", kind="success")


def _people(book: Book) -> None:
    book.account("pooled", MID_MARKET, csm_id=None)
    book.account("bought", SMALL, paid_success=True)
    book.account("asking", SELF_SERVICE)
    book.tell("request.received", "asking", -1 / 24, request_id="help", channel="email")
    for name in ("wish", "wish-red"):
        book.account(name, ENTERPRISE)
        contact = f"{name}-decision_maker"
        book.tell("preference.changed", name, -1, contact_id=contact, topic="account", frequency="quarterly")
    book.tell("health.scored", "wish-red", -1 / 24, score=20)
    book.account("bereft", ENTERPRISE)
    book.tell("contact.left", "bereft", -1 / 24, contact_id="bereft-champion")
    book.account("declining", MID_MARKET, started=200, renews=500)
    book.account("talked", MID_MARKET, started=200, renews=500)
    book.tell(
        "interaction.logged", "talked", -3, channel="call", touchpoint_type="check_in", initiated_by="us"
    )


def _history(book: Book) -> None:
    """A year of news, all of it old: told today, in one go, as an import is."""
    name = "imported"
    book.account(name, ENTERPRISE, started=400)
    book.contract(name, -400, status="signed", starts=-400, renews=330, signed_at=book.instant(-400))
    book.tell("health.scored", name, -300, score=15)
    book.tell("health.scored", name, -250, score=85)
    book.tell("nps.answered", name, -200, score=10)
    book.tell("milestone.reached", name, -150, milestone="one year", kind="success")
    book.tell("expansion.signalled", name, -100, signal="seat_limit")
    book.tell("request.received", name, -60, request_id="old", channel="email")
    book.week(name, -20, seats=100, seats_used=99)
    book.tell("contact.left", name, -40, contact_id="imported-champion")


def _seasons(book: Book) -> None:
    for name in RETAIL:
        book.account(name, ENTERPRISE, industry="retail")
    book.account("reader", MID_MARKET)
    only = 'account_id == "reader"'
    releases = {"patch": False, "spring": True, "summer": True}
    for number, (program, meaningful) in enumerate(releases.items(), 1):
        book.tell(
            "program.announced", "*", (number - 6) / 24,
            program_id=program, kind="release", title=program, audience=only, meaningful=meaningful,
        )  # fmt: skip


def unfolding(now: datetime) -> list[Event]:
    """What is told when the clock runs fast: what takes days to show."""
    book = Book(now)
    for name, arr in (("new-small", SMALL), ("new-picky", SMALL), ("new-enterprise", ENTERPRISE)):
        book.account(name, arr, started=-1, renews=366)
    book.events = [_known_now(each, now) for each in book.events]
    book.tell(
        "preference.changed", "new-picky", contact_id="new-picky-champion", topic="education", opted_in=False
    )
    book.account("paused", MID_MARKET)
    book.tell("outreach.paused", "paused", until=book.instant(4), reason="They move house.")
    for name in ("unsigned", "signs-late"):
        book.account(name, ENTERPRISE, started=351, renews=15)
    book.account("renewed", ENTERPRISE, started=351, renews=15)
    book.contract("renewed", -20, status="signed", starts=-351, renews=15, signed_at=book.instant(-20))
    book.account("guest", MID_MARKET)
    book.tell(
        "program.announced", "*",
        program_id="webinar", kind="webinar", title="Webinar", at=book.instant(15.5), audience='account_id == "guest"',
    )  # fmt: skip
    return book.events


def signature(name: str, now: datetime) -> Iterator[Event]:
    data: Mapping[str, object] = {
        "contract_id": f"{name}-contract",
        "status": "signed",
        "signed_at": now.isoformat(),
    }
    yield event("contract.changed", name, data, id=f"{name}-signature", time=now)


def _known_now(each: Event, now: datetime) -> Event:
    return {**each, "time": now.isoformat().replace("+00:00", "Z")}
