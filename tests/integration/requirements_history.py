"""The accounts behind the requirements: every account is in one situation that a requirement names."""

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


class History:
    """Makes events with distinct ids; times are in days from `now`, most of them negative."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.events: list[Event] = []

    def add_event(self, kind: str, account: str, days: float = 0, /, **data: Any) -> None:
        identity = f"{account}-{kind}-{len(self.events)}"
        at = self.now + timedelta(days=days)
        self.events.append(event(kind, account, data, id=identity, time=at))

    def add_account(
        self, name: str, arr: int, /, *, started: int = 400, renews: int = 330, **more: Any
    ) -> None:
        """An account with a contract and two contacts, known since it started."""
        owner = {} if arr < MID_MARKET else {"csm_id": "dana"}
        self.add_event("account.described", name, -started, **{"name": name, "arr": arr, **owner, **more})
        for role in ("champion", "decision_maker"):
            contact = f"{name}-{role}"
            self.add_event(
                "contact.described", name, -started,
                contact_id=contact, name=contact, email=f"{contact}@customer.example", role=role,
            )  # fmt: skip
        self.add_contract(name, -started, status="active", starts=-started, renews=renews)

    def add_contract(
        self, name: str, days: float, /, *, status: str, starts: int, renews: int, **more: Any
    ) -> None:
        self.add_event(
            "contract.changed", name, days,
            contract_id=f"{name}-contract", status=status,
            starts_on=self._date(starts), renews_on=self._date(renews), **more,
        )  # fmt: skip

    def instant(self, days: float) -> str:
        return (self.now + timedelta(days=days)).isoformat().replace("+00:00", "Z")

    def add_week(self, name: str, ends: float, /, **data: Any) -> None:
        """Usage of the week that ended so many days ago."""
        begins, ended = self.instant(ends - 7), self.instant(ends)
        self.add_event("usage.reported", name, ends, period_start=begins, period_end=ended, **data)

    def _date(self, days: int) -> str:
        return (self.now + timedelta(days=days)).date().isoformat()


def initial_events(now: datetime) -> list[Event]:
    """The events posted while the clock runs at normal speed; their effects take less than two days."""
    history = History(now)
    history.add_event("csm.described", "dana", -500, name="Dana", email="dana@drumbeat.example")
    for name, arr in STANDARD.items():
        history.add_account(name, arr)
        history.add_event("health.scored", name, -1 / 24, score=90)
    for name, arr in RED.items():
        history.add_account(name, arr)
        history.add_event("health.scored", name, -1 / 24, score=20)
    history.add_account("recovered", MID_MARKET)
    history.add_event("health.scored", "recovered", -30, score=20)
    history.add_event("health.scored", "recovered", -1 / 24, score=90)
    history.add_account("yellow", MID_MARKET)
    history.add_event("health.scored", "yellow", -1 / 24, score=55)
    _starting(history)
    _growing(history)
    _happy(history)
    _people(history)
    _history(history)
    _seasons(history)
    return history.events


def _starting(history: History) -> None:
    history.add_account("complex", MID_MARKET, started=100, renews=600, complexity="complex")
    history.add_account("live", MID_MARKET, started=60)
    history.add_event("milestone.reached", "live", -1 / 24, milestone="go-live", kind="go_live")
    name = "signed"
    history.add_event("account.described", name, -2, name=name, arr=ENTERPRISE, csm_id="dana")
    history.add_contract(
        name, -1 / 24, status="signed", starts=1, renews=366, signed_at=history.instant(-1 / 24)
    )


def _growing(history: History) -> None:
    for name in GROWING:
        history.add_account(name, MID_MARKET)
    history.add_week("seats", -1 / 24, seats=100, seats_used=92)
    history.add_week("limits", -1 / 24, limits={"rows": {"used": 95, "limit": 100}})
    for week in range(5):
        history.add_week("spike", week * 7 - 28 - 1 / 24, events=3_000 if week == 4 else 1_000)
    history.add_week("growing", -3, seats=100, seats_used=85)
    history.add_event("milestone.reached", "growing", -1 / 24, milestone="first million", kind="success")
    history.add_event("expansion.signalled", "signal", -2 / 24, signal="team_growth")
    history.add_event("expansion.signalled", "signal", -1 / 24, signal="advanced_feature")
    history.add_account("eager", MID_MARKET)
    history.add_event("nps.answered", "eager", -2 / 24, score=10)
    history.add_event("expansion.signalled", "eager", -1 / 24, signal="team_growth")


def _happy(history: History) -> None:
    history.add_account("promoter", MID_MARKET)
    history.add_event("nps.answered", "promoter", -1 / 24, score=9)
    history.add_account("passive", MID_MARKET)
    history.add_event("nps.answered", "passive", -1 / 24, score=8)
    history.add_account("successful", MID_MARKET)
    history.add_event("milestone.reached", "successful", -2, milestone="first year", kind="success")


def _people(history: History) -> None:
    history.add_account("pooled", MID_MARKET, csm_id=None)
    history.add_account("bought", SMALL, paid_success=True)
    history.add_account("asking", SELF_SERVICE)
    history.add_event("request.received", "asking", -1 / 24, request_id="help", channel="email")
    for name in ("wish", "wish-red"):
        history.add_account(name, ENTERPRISE)
        contact = f"{name}-decision_maker"
        history.add_event(
            "preference.changed", name, -1, contact_id=contact, topic="account", frequency="quarterly"
        )
    history.add_event("health.scored", "wish-red", -1 / 24, score=20)
    history.add_account("bereft", ENTERPRISE)
    history.add_event("contact.left", "bereft", -1 / 24, contact_id="bereft-champion")
    history.add_account("declining", MID_MARKET, started=200, renews=500)
    history.add_account("talked", MID_MARKET, started=200, renews=500)
    history.add_event(
        "interaction.logged", "talked", -3, channel="call", touchpoint_type="check_in", initiated_by="us"
    )


def _history(history: History) -> None:
    """A year of old events, posted at once like an import."""
    name = "imported"
    history.add_account(name, ENTERPRISE, started=400)
    history.add_contract(
        name, -400, status="signed", starts=-400, renews=330, signed_at=history.instant(-400)
    )
    history.add_event("health.scored", name, -300, score=15)
    history.add_event("health.scored", name, -250, score=85)
    history.add_event("nps.answered", name, -200, score=10)
    history.add_event("milestone.reached", name, -150, milestone="one year", kind="success")
    history.add_event("expansion.signalled", name, -100, signal="seat_limit")
    history.add_event("request.received", name, -60, request_id="old", channel="email")
    history.add_week(name, -20, seats=100, seats_used=99)
    history.add_event("contact.left", name, -40, contact_id="imported-champion")


def _seasons(history: History) -> None:
    for name in RETAIL:
        history.add_account(name, ENTERPRISE, industry="retail")
    history.add_account("reader", MID_MARKET)
    only = 'account_id == "reader"'
    releases = {"patch": False, "spring": True, "summer": True}
    for number, (program, meaningful) in enumerate(releases.items(), 1):
        history.add_event(
            "program.announced", "*", (number - 6) / 24,
            program_id=program, kind="release", title=program, audience=only, meaningful=meaningful,
        )  # fmt: skip


def later_events(now: datetime) -> list[Event]:
    """The events posted while the clock runs fast: their effects take days."""
    history = History(now)
    for name, arr in (("new-small", SMALL), ("new-picky", SMALL), ("new-enterprise", ENTERPRISE)):
        history.add_account(name, arr, started=-1, renews=366)
    history.events = [_occurring_now(event, now) for event in history.events]
    history.add_event(
        "preference.changed", "new-picky", contact_id="new-picky-champion", topic="education", opted_in=False
    )
    history.add_account("paused", MID_MARKET)
    history.add_event("outreach.paused", "paused", until=history.instant(4), reason="They move house.")
    for name in ("unsigned", "signs-late"):
        history.add_account(name, ENTERPRISE, started=351, renews=15)
    history.add_account("renewed", ENTERPRISE, started=351, renews=15)
    history.add_contract(
        "renewed", -20, status="signed", starts=-351, renews=15, signed_at=history.instant(-20)
    )
    history.add_account("guest", MID_MARKET)
    history.add_event(
        "program.announced", "*",
        program_id="webinar", kind="webinar", title="Webinar", at=history.instant(15.5), audience='account_id == "guest"',
    )  # fmt: skip
    return history.events


def signature(name: str, now: datetime) -> Iterator[Event]:
    data: Mapping[str, object] = {
        "contract_id": f"{name}-contract",
        "status": "signed",
        "signed_at": now.isoformat(),
    }
    yield event("contract.changed", name, data, id=f"{name}-signature", time=now)


def _occurring_now(original: Event, now: datetime) -> Event:
    return {**original, "time": now.isoformat().replace("+00:00", "Z")}
