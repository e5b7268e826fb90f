"""Made-up life of many accounts, the same for every seed: CloudEvents of every type that the outside may send.

Depends on nothing but the standard library, and of `random.Random` only on what is stable from release to release:
what it yields today it yields after every refactoring. `events(seed=8)` ends at `NOW`; no event lies after it.
Accounts are independent of each other: the same account lives the same life whatever the number of accounts.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 400
"""How far back the events reach."""
MESSAGES = ("touchpoint.due", "touchpoint.overdue", "touchpoint.cancelled")
"""What the scheduler announces and the rules engine listens to."""

Event = dict[str, object]
Data = dict[str, object]

CSMS = ("csm-ana", "csm-bo", "csm-chidi", "csm-dana", "csm-eli", "csm-fatima", "csm-desk")
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Asia/Dubai",
    "America/Sao_Paulo",
    "Pacific/Auckland",
)
COUNTRIES = ("DE", "US", "JP", "AE", "BR", "NZ", "FR", "SE")
LANGUAGES = ("en", "de", "ja", "pt-BR", "fr")
INDUSTRIES = ("retail", "accounting", "software", "logistics", "healthcare", "banking")
ROLES = ("champion", "decision_maker", "executive_sponsor", "admin", "user")
CHANNELS = ("call", "meeting", "email", "sms", "slack", "in_app", "webhook")
TOPICS = ("account", "education", "product_updates", "training", "promotion", "events", "surveys")
FREQUENCIES = ("daily", "weekly", "biweekly", "monthly", "quarterly")
SIGNALS = ("seat_limit", "usage_limit", "power_users", "advanced_feature", "team_growth", "other")
COLORS = ("red", "yellow", "green")
ENGAGEMENTS = ("delivered", "opened", "clicked", "replied", "bounced", "complained", "unsubscribed")
OUTCOMES = ("completed", "attended", "missed", "declined", "rescheduled", "cancelled")
MAILED = ("usage_report", "newsletter", "tips", "nurture", "value_report", "feature_spotlight")
WORDS = (
    "Nordwind",
    "Halcyon",
    "Zeder & Söhne",
    "Polar",
    "Kaihō 海宝",
    "Brightwater",
    "Ümit",
    "Café Olé",
    "Delta",
    "🚀 Orbit",
)
FORMS = ("GmbH", "Inc.", "KK", "Ltd", "S.A.", "AB")


def touchpoint_id(*parts: str) -> str:
    """The id of a one-off follows from what it answers; written down here anew, for it must never change."""
    said = json.dumps(["touchpoint", *parts], separators=(",", ":"))
    text = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, a fraction only where there is one."""
    return moment.isoformat()[:-6] + "Z"


def day(moment: datetime) -> str:
    return moment.date().isoformat()


def ago(days: float = 0, hours: float = 0) -> datetime:
    """So long before NOW, to the second."""
    return NOW - timedelta(seconds=int(days * 86_400 + hours * 3_600))


class Life:
    """One account: what it is, and everything that was told of it, in no particular order."""

    def __init__(self, seed: int, index: int) -> None:
        self.random = Random(seed * 1_000_003 + index)
        self.account = f"acc-{index:04}" if index % 97 else f"acc-{index:04} Ünï/ço:de"
        self.told: list[Event] = []
        self._numbers: dict[str, int] = {}

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def one_of(self, values: tuple[str, ...], weights: tuple[int, ...] | None = None) -> str:
        return self.random.choices(values, weights)[0] if weights else self.random.choice(values)

    def between(self, least: float, most: float) -> float:
        return least + (most - least) * self.random.random()

    def tell(self, kind: str, at: datetime, data: Data, *, source: str = "/crm") -> Event:
        """An event of this account, never after NOW and never longer ago than DAYS."""
        number = self._numbers[source] = self._numbers.get(source, 0) + 1
        at = min(max(at, ago(DAYS)), NOW - timedelta(seconds=1))
        if self.chance(0.05):
            at += timedelta(microseconds=self.random.randrange(1_000_000))
        event: Event = {
            "specversion": "1.0",
            "id": f"{self.account}-{number:04}",
            "source": source,
            "type": f"drumbeat.{kind}.v1",
            "subject": self.account,
            "time": self.written(at),
            "datacontenttype": "application/json",
            "data": data,
        }
        self.told.append(event)
        return event

    def written(self, at: datetime) -> str:
        """Mostly as we write it; some senders live in another zone."""
        if self.chance(0.97):
            return timestamp(at)
        there = at + timedelta(hours=2)
        return there.isoformat()[:-6] + "+02:00"

    def contact(self, name: str) -> str:
        return f"{self.account}/{name}"


def moment_of(event: Event) -> datetime:
    return datetime.fromisoformat(str(event["time"])).astimezone(UTC)


# What an account is


def describe(life: Life) -> tuple[str, float]:
    """Tells what the company is; answers its segment, if nobody sets it by hand, and its revenue."""
    segment = life.one_of(("enterprise", "mid_market", "small_business", "self_service"), (20, 35, 25, 20))
    low, high = {
        "enterprise": (100_000, 900_000),
        "mid_market": (10_000, 99_000),
        "small_business": (1_000, 9_900),
        "self_service": (0, 990),
    }[segment]
    arr = round(life.between(low, high), 2) if life.chance(0.5) else float(int(life.between(low, high)))
    first: Data = {"name": f"{life.one_of(WORDS)} {life.random.randrange(1, 999)} {life.one_of(FORMS)}"}
    if life.chance(0.9):
        first["arr"] = arr if arr % 1 else int(arr)
    optional: tuple[tuple[str, float, object], ...] = (
        ("currency", 0.7, life.one_of(("EUR", "USD", "JPY"))),
        ("industry", 0.85, life.one_of(INDUSTRIES)),
        ("country", 0.8, life.one_of(COUNTRIES)),
        ("timezone", 0.8, life.one_of(ZONES)),
        ("language", 0.6, life.one_of(LANGUAGES)),
        ("complexity", 0.7, life.one_of(("simple", "standard", "complex"), (3, 3, 4))),
        ("csm_id", 0.85 if segment in {"enterprise", "mid_market"} else 0.3, life.one_of(CSMS)),
        ("pool", 0.4, life.one_of(("growth", "north"))),
        ("paid_success", 0.3, life.chance(0.6)),
    )
    first.update((name, value) for name, probability, value in optional if life.chance(probability))
    life.tell("account.described", ago(life.between(300, DAYS)), first)
    # Later words on it: some change, some clear, some say nothing.
    if life.chance(0.35):
        later: Data = {"complexity": life.one_of(("simple", "standard", "complex"))}
        if life.chance(0.4):
            later["csm_id"] = life.one_of(CSMS)
        life.tell("account.described", ago(life.between(0, 200)), later)
    if life.chance(0.15):
        cleared = life.one_of(("industry", "pool", "complexity", "language", "csm_id", "timezone"))
        life.tell("account.described", ago(life.between(0, 150)), {cleared: None})
    if life.chance(0.04):
        life.tell("account.described", ago(life.between(0, 90)), {"arr": None})
    if life.chance(0.05):
        said = life.one_of(("enterprise", "mid_market", "small_business", "self_service"))
        life.tell(
            "account.described", ago(life.between(10, 200)), {"segment": said, "note": "by hand, not a field"}
        )
        if life.chance(0.4):
            life.tell("account.described", ago(life.between(0, 9)), {"segment": None})
    if life.chance(0.03):
        life.tell("account.described", ago(life.between(0, 100)), {})
    return segment, arr


def people(life: Life) -> dict[str, str]:
    """Contacts of every role; answers them by role, those who left included."""
    found: dict[str, str] = {}
    for role in ROLES:
        if role != "champion" and not life.chance(0.45):
            continue
        name = life.contact(role)
        found[role] = name
        data: Data = {"contact_id": name, "role": role, "name": f"{life.one_of(WORDS)} {role}"}
        if life.chance(0.85):
            data["email"] = f"{role}.{life.random.randrange(100)}@{life.account[:8]}.example"
        if life.chance(0.3):
            data |= {"language": life.one_of(LANGUAGES), "timezone": life.one_of(ZONES)}
        if life.chance(0.2):
            data |= {"phone": "+49 30 123456", "slack": "#we"}
        life.tell("contact.described", ago(life.between(20, 380)), data)
        if life.chance(0.08):
            life.tell(
                "contact.described",
                ago(life.between(0, 100)),
                {"contact_id": name, "email": None, "phone": None},
            )
        if life.chance(0.05):
            life.tell(
                "contact.described",
                ago(life.between(0, 60)),
                {"contact_id": name, "role": life.one_of(ROLES)},
            )
        if life.chance(0.05):
            life.tell("contact.left", ago(life.between(0, 120)), {"contact_id": name})
    return found


def preferences(life: Life, contacts: dict[str, str]) -> None:
    for contact in contacts.values():
        if not life.chance(0.14):
            continue
        data: Data = {"contact_id": contact}
        if life.chance(0.6):
            data["topic"] = life.one_of(TOPICS)
        if life.chance(0.3):
            data["channel"] = life.one_of(CHANNELS)
        if life.chance(0.8):
            data["frequency"] = life.one_of(FREQUENCIES)
        if life.chance(0.3):
            data["opted_in"] = life.chance(0.5)
        life.tell("preference.changed", ago(life.between(0, 250)), data, source="/preferences")
        if life.chance(0.15):
            taken_back: Data = {**data, "frequency": None}
            life.tell("preference.changed", ago(life.between(0, 50)), taken_back, source="/preferences")


def pauses(life: Life, contacts: dict[str, str]) -> None:
    if life.chance(0.10):
        data: Data = {
            "reason": life.one_of(("Merger under way", "Support escalation", "They asked for rest.", "Umzug"))
        }
        if life.chance(0.6):
            data["until"] = timestamp(NOW + timedelta(hours=life.random.randrange(-200, 1_400)))
        elif life.chance(0.3):
            data["until"] = None
        life.tell("outreach.paused", ago(life.between(0, 60)), data, source="/desk")
        if life.chance(0.2):
            life.tell(
                "outreach.resumed", ago(life.between(0, 30)), {"reason": "All is well again"}, source="/desk"
            )
    if life.chance(0.05):
        whom = life.one_of(tuple(contacts.values()))
        life.tell(
            "outreach.paused",
            ago(life.between(0, 60)),
            {"contact_id": whom, "reason": "On leave"},
            source="/desk",
        )


# Where its contract stands

BILLING = "/billing"
PHASES = ("fresh", "onboarding", "adoption", "growth", "renewal", "churned", "none")


def _age(random: Random, phase: str) -> int:
    """Days since the contract began."""
    return {
        "fresh": lambda: random.randrange(-4, 15),
        "onboarding": lambda: random.randrange(15, 95),
        "adoption": lambda: random.randrange(90, 270),
        "growth": lambda: 365 * random.randrange(1, 5) + random.randrange(0, 250),
        "renewal": lambda: 365 * random.randrange(1, 4) - random.randrange(-3, 95),
        "churned": lambda: random.randrange(100, 900),
        "none": lambda: 0,
    }[phase]()


def contracts(life: Life, arr: float) -> tuple[str, str, datetime, datetime]:
    """Tells of the contract; answers the phase, its id, and the days it starts and renews."""
    random = life.random
    phase = life.one_of(PHASES, (12, 19, 16, 17, 24, 7, 5))
    age = _age(random, phase)
    starts = NOW - timedelta(days=age)
    terms = age // 365 + 1 if age >= 0 else 1
    if phase == "renewal" and age % 365 < 4 and age >= 365:
        terms -= 1  # its end has passed by some days
    renews = starts + timedelta(days=365 * terms)
    contract = f"{life.account}/c1"
    if phase == "none":
        return phase, contract, starts, renews
    first: Data = {"contract_id": contract, "starts_on": day(starts), "renews_on": day(renews)}
    if life.chance(0.8):
        first["arr"] = arr
    if life.chance(0.35):
        first["auto_renew"] = life.chance(0.5)
    _began(life, first, starts, random.randrange(4), fresh=phase == "fresh")
    if phase == "churned":
        churned: Data = {"contract_id": contract, "status": "churned"}
        life.tell("contract.changed", ago(life.between(0, 90)), churned, source=BILLING)
    if phase == "renewal" and life.chance(0.3):
        _renewed(life, contract, renews)
    _changed(life, contract, arr, renews)
    return phase, contract, starts, renews


def _began(life: Life, first: Data, starts: datetime, how: int, *, fresh: bool) -> None:
    """Drafted or not, signed or known as active only."""
    age = (NOW - starts).days
    if how == 0 and age < 300:
        draft: Data = {"contract_id": first["contract_id"], "status": "draft"}
        life.tell("contract.changed", starts - timedelta(days=20), draft)
    if fresh or (how < 2 and age < 380):
        _signed(life, first, starts)
    else:
        active: Data = {**first, "status": "active"}
        life.tell("contract.changed", max(starts, ago(life.between(300, DAYS))), active, source=BILLING)


def _signed(life: Life, first: Data, starts: datetime) -> None:
    before = starts - timedelta(hours=life.random.randrange(1, 200))
    signed_at = min(before, ago(hours=life.random.randrange(1, 40)))
    signed: Data = {**first, "status": "signed"}
    if life.chance(0.6):
        signed["signed_at"] = timestamp(signed_at)
    life.tell("contract.changed", signed_at + timedelta(minutes=7), signed, source=BILLING)
    if life.chance(0.5):
        active: Data = {"contract_id": first["contract_id"], "status": "active"}
        life.tell("contract.changed", starts, active, source=BILLING)


def _renewed(life: Life, contract: str, renews: datetime) -> None:
    at = ago(life.between(0, 16))
    data: Data = {"contract_id": contract, "status": "signed", "signed_at": timestamp(at)}
    life.tell("contract.changed", at, data, source=BILLING)
    if life.chance(0.5):
        data = {"contract_id": contract, "renews_on": day(renews + timedelta(days=365))}
        life.tell("contract.changed", at + timedelta(hours=3), data, source=BILLING)


def _changed(life: Life, contract: str, arr: float, renews: datetime) -> None:
    """What else is told of contracts: more revenue, a corrected date, fields cleared, a second one."""
    random = life.random
    if life.chance(0.12):
        data: Data = {"contract_id": contract, "arr": round(arr * life.between(0.8, 1.9), 2)}
        life.tell("contract.changed", ago(life.between(0, 34)), data, source=BILLING)
    if life.chance(0.06):
        data = {"contract_id": contract, "renews_on": day(renews + timedelta(days=random.randrange(-20, 40)))}
        life.tell("contract.changed", ago(life.between(0, 100)), data)
    if life.chance(0.05):
        data = {"contract_id": contract, "auto_renew": None, "arr": None}
        life.tell("contract.changed", ago(life.between(0, 100)), data)
    if life.chance(0.12):
        data = {
            "contract_id": f"{life.account}/c2",
            "status": life.one_of(("draft", "active", "signed", "churned")),
            "starts_on": day(ago(random.randrange(0, 300))),
            "renews_on": day(NOW + timedelta(days=random.randrange(1, 300))),
            "arr": int(arr // 3),
        }
        life.tell("contract.changed", ago(life.between(0, 250)), data, source=BILLING)


# What happens, telemetry aside


class Happening(NamedTuple):
    """Something lately told that a rule may answer: with what, within how many days, and about which topic."""

    event: Event
    touchpoint: str
    within: float
    rule: str
    topic: str | None = "account"


def _nps(life: Life, at: datetime) -> Happening:
    data: Data = {"score": life.random.randrange(7, 11)}
    if life.chance(0.5):
        data |= {"contact_id": life.contact("champion"), "comment": "Gut so.\nWeiter!"}
    return Happening(
        life.tell("nps.answered", at, data, source="/survey"), "advocacy_ask", 2, "advocacy-by-nps"
    )


def _milestone(kind: str) -> Callable[[Life, datetime], Happening]:
    touchpoint, within, rule = {
        "go_live": ("go_live_review", 14, "go-live-review"),
        "success": ("advocacy_ask", 7, "advocacy-by-milestone"),
        "adoption": ("milestone_check_in", 7, "adoption-milestone-call"),
        "": ("in_app_guide", 2, "milestone-guide"),
    }[kind]

    def tell(life: Life, at: datetime) -> Happening:
        data: Data = {"milestone": life.one_of(("first invoice", "ten users", "live", "first year"))}
        if kind:
            data["kind"] = kind
        return Happening(
            life.tell("milestone.reached", at, data, source="/product"), touchpoint, within, rule
        )

    return tell


def _signal(life: Life, at: datetime) -> Happening:
    data: Data = {"signal": life.one_of(SIGNALS)}
    if life.chance(0.3):
        data["detail"] = "95 of 100"
    event = life.tell("expansion.signalled", at, data, source="/product")
    return Happening(event, "expansion_discovery", 14, "expansion-by-signal")


def _request(life: Life, at: datetime) -> Happening:
    data: Data = {"request_id": f"{life.account}-r{life.random.randrange(1_000_000)}"}
    if life.chance(0.7):
        data["channel"] = life.one_of(("email", "call", "chat"))
    event = life.tell("request.received", at, data, source="/support")
    if life.chance(0.5):
        answered = at + timedelta(minutes=life.random.randrange(5, 3_000))
        if answered < NOW:
            life.tell("request.answered", answered, {"request_id": data["request_id"]}, source="/support")
    return Happening(event, "ad_hoc_call", 2, "request-call")


def _drop(life: Life, at: datetime) -> Happening:
    before = life.random.randrange(70, 100)
    life.tell("health.scored", at - timedelta(hours=5), {"score": before}, source="/health")
    event = life.tell(
        "health.scored", at, {"score": before - life.random.randrange(20, 65)}, source="/health"
    )
    return Happening(event, "ad_hoc_call", 2, "health-drop-call")


def _red(life: Life, at: datetime) -> Happening:
    data: Data = {
        "color": "red",
        "drivers": ["logins fall", {"name": "tickets", "value": 3.5, "text": "three open"}],
    }
    if life.chance(0.5):
        data["score"] = life.random.randrange(0, 40)
    event = life.tell("health.scored", at, data, source="/health")
    return Happening(event, "risk_action_plan", 2, "red-action-plan", None)


def _left(life: Life, at: datetime) -> Happening:
    event = life.tell("contact.left", at, {"contact_id": life.contact("champion")})
    return Happening(event, "intro_call", 14, "stakeholder-left")


def _joined(life: Life, at: datetime) -> Happening:
    data: Data = {
        "contact_id": life.contact(f"new-{life.random.randrange(99)}"),
        "role": life.one_of(ROLES[:3]),
    }
    return Happening(life.tell("contact.described", at, data), "intro_call", 14, "stakeholder-joined")


def _discovered(life: Life, at: datetime) -> Happening:
    data: Data = {"touchpoint_type": "expansion_discovery", "outcome": life.one_of(("attended", "completed"))}
    if life.chance(0.5):
        data["at"] = timestamp(at - timedelta(hours=2))
    event = life.tell("touchpoint.settled", at, data, source="/calendar")
    return Happening(event, "expansion_proposal", 14, "expansion-proposal")


def _reviewed(life: Life, at: datetime) -> Happening:
    life.tell("health.scored", at - timedelta(hours=9), {"color": "green", "score": 91.5}, source="/health")
    data: Data = {"touchpoint_type": "business_review", "outcome": "attended", "notes": "Sehr gut"}
    return Happening(
        life.tell("touchpoint.settled", at, data, source="/calendar"), "advocacy_ask", 7, "advocacy-by-review"
    )


def _grown(life: Life, at: datetime) -> Happening:
    end = at - timedelta(hours=1)
    data: Data = {
        "period_start": timestamp(end - timedelta(days=7)),
        "period_end": timestamp(end),
        "seats": 100,
        "seats_used": life.random.randrange(80, 101),
        "limits": {"api calls": {"used": 97.5, "limit": 100}, "storage": {"used": 0, "limit": 0}},
    }
    event = life.tell("usage.reported", at, data, source="/product")
    return Happening(event, "expansion_discovery", 14, "expansion-by-usage")


HAPPENINGS: tuple[Callable[[Life, datetime], Happening], ...] = (
    _nps, _milestone("go_live"), _milestone("success"), _milestone("adoption"), _milestone(""), _signal, _request,
    _drop, _red, _left, _joined, _discovered, _reviewed, _grown,
)  # fmt: skip


def lately(life: Life) -> list[Happening]:
    """What happened in the last days: most rules answer only that."""
    found: list[Happening] = []
    for _ in range(life.random.randrange(0, 5)):
        hours = life.between(1, 46) if life.chance(0.6) else life.between(46, 24 * 15)
        found.append(life.random.choice(HAPPENINGS)(life, ago(hours=hours)))
    return found


def long_ago(life: Life, contacts: dict[str, str]) -> None:
    """A year of ordinary things."""
    for _ in range(life.random.randrange(2, 7)):
        life.random.choice(HAPPENINGS[:7])(life, ago(life.between(16, 390)))
    for _ in range(life.random.randrange(0, 4)):
        data: Data = {"channel": life.one_of(CHANNELS), "initiated_by": life.one_of(("us", "customer"))}
        if life.chance(0.6):
            data["touchpoint_type"] = life.one_of(
                ("check_in", "business_review", "executive_review", "ad_hoc_call")
            )
        if life.chance(0.4):
            data |= {"contact_id": life.one_of(tuple(contacts.values())), "notes": "Kurz gesprochen."}
        at = ago(life.between(0, 120))
        if life.chance(0.4):
            data["at"] = timestamp(at - timedelta(hours=life.random.randrange(1, 72)))
        life.tell("interaction.logged", at, data, source="/desk")
    for _ in range(life.random.randrange(0, 3)):
        _surveyed(life)
    for _ in range(life.random.randrange(0, 4)):
        outcome = life.one_of(OUTCOMES)
        at = ago(life.between(0, 200))
        data = {
            "touchpoint_type": life.one_of(
                ("check_in", "business_review", "training_session", "expansion_discovery")
            ),
            "outcome": outcome,
        }
        if outcome == "rescheduled":
            data["to"] = timestamp(at + timedelta(days=life.random.randrange(1, 20)))
        life.tell("touchpoint.settled", at, data, source="/calendar")


def _surveyed(life: Life) -> None:
    answers: tuple[tuple[str, float, object], ...] = (
        ("survey", 0.6, "rhythm"),
        ("touchpoint_type", 0.2, "check_in"),
        ("answer", 0.8, life.one_of(("too_much", "too_little", "about_right"))),
        ("csat", 0.6, life.random.randrange(1, 6)),
    )
    data: Data = {name: value for name, probability, value in answers if life.chance(probability)}
    life.tell("survey.answered", ago(life.between(0, 300)), data, source="/survey")


def habits(life: Life) -> None:
    """Some have a way of answering that teaches us something."""
    habit = life.one_of(
        ("none", "declines", "comes", "mails unread", "mails read", "asks a lot"), (60, 9, 7, 9, 6, 9)
    )
    if habit == "declines":
        for each in range(3 + life.random.randrange(3)):
            data: Data = {"touchpoint_type": "check_in", "outcome": life.one_of(("declined", "missed"))}
            life.tell("touchpoint.settled", ago(2 + each * life.between(10, 30)), data, source="/calendar")
    if habit == "comes":
        for each in range(9):
            data = {"touchpoint_type": "check_in", "outcome": life.one_of(("attended", "completed"))}
            life.tell("touchpoint.settled", ago(12 + each * 9), data, source="/calendar")
        pleased: Data = {"csat": 5, "answer": "about_right"}
        life.tell("survey.answered", ago(life.between(1, 10)), pleased, source="/survey")
    if habit.startswith("mails"):
        _mailed(life, read=habit == "mails read")
    if habit == "asks a lot":
        for _ in range(8):
            _request(life, ago(life.between(0, 27)))


def _mailed(life: Life, *, read: bool) -> None:
    """Ten mails to the champion, the newest of which did not get there."""
    for each in range(10):
        delivery = f"{life.account}-d{each}"
        kind = life.one_of(MAILED)
        at = ago(1 + each * life.between(3, 9))
        sent: Data = {
            "delivery_id": delivery, "touchpoint_id": None, "touchpoint_type": kind, "channel": "email",
            "recipient": {"kind": "contact", "id": life.contact("champion")},
            "state": "sent" if each else "failed", "reason": None, "at": timestamp(at),
        }  # fmt: skip
        life.tell("delivery.finished", at, sent, source="/drumbeat/notifier")
        if read:
            engaged: Data = {"delivery_id": delivery, "kind": life.one_of(ENGAGEMENTS)}
            life.tell("message.engaged", at + timedelta(hours=4), engaged, source="/mail")


# What the scheduler says


class Touch(NamedTuple):
    """A touchpoint of the scheduler. Without a policy a person planned it."""

    type: str
    id: str
    rule: str
    until: datetime
    topic: str | None = "account"
    policy: str = "0123456789abcdef"
    cause: Event | None = None


def announce(life: Life, kind: str, at: datetime, touch: Touch, **more: object) -> None:
    """A touchpoint as the scheduler announces it, with every field."""
    facts: list[Data] = []
    if touch.cause is not None:
        source, number = touch.cause["source"], touch.cause["id"]
        when = timestamp(moment_of(touch.cause))
        facts.append({"name": "said", "value": 1.0, "source": source, "id": number, "time": when})
        facts.append({"name": "segment", "value": None, "source": "/crm", "id": None, "time": None})
    until = timestamp(touch.until)
    data: Data = {
        "touchpoint_id": touch.id,
        "account_id": life.account,
        "touchpoint_type": touch.type,
        "status": kind.removeprefix("touchpoint."),
        "due_at": timestamp(at),
        "released_at": None if kind == "touchpoint.cancelled" else timestamp(at + timedelta(seconds=1)),
        "deadline": until,
        "window": {"from": timestamp(at - timedelta(hours=1)), "to": until},
        "owner": {"kind": "csm", "csm_id": "csm-ana", "email": "ana@drumbeat.example"},
        "channel": "in_app" if touch.topic is None else "call",
        "purpose": "As it was issued",
        "reason": {
            "rule": touch.rule,
            "policy": touch.policy,
            "facts": facts,
            "text": "Said when it was issued.",
        },
        "sequence": 3,
        "topic": touch.topic,
        "minutes": 30,
        "audience": [],
        "occurrence": None,
        "previous_due_at": None,
        "note": None,
        **more,
    }
    life.tell(kind, at + timedelta(seconds=2), data, source="/drumbeat/scheduler")


def settle(life: Life, touch: Touch, outcome: str, at: datetime, to: datetime) -> None:
    """`to`: the new time of a rescheduled one."""
    data: Data = {"touchpoint_id": touch.id, "touchpoint_type": touch.type, "outcome": outcome}
    if outcome == "rescheduled":
        data["to"] = timestamp(to)
    life.tell("touchpoint.settled", at, data, source="/calendar")


def answers(life: Life, happened: list[Happening]) -> None:
    """Some of what was asked for lately came due already, and some of that ended."""
    for each in happened:
        if not life.chance(0.30):
            continue
        at = moment_of(each.event)
        due = at + timedelta(minutes=life.random.randrange(10, 1_500))
        if due >= NOW:
            continue
        said = str(each.event["source"]), str(each.event["id"])
        identity = touchpoint_id(life.account, each.touchpoint, *said)
        end = at + timedelta(days=each.within)
        touch = Touch(each.touchpoint, identity, each.rule, end, each.topic, cause=each.event)
        announce(life, "touchpoint.due", due, touch)
        turn = life.random.random()
        later = min(due + timedelta(hours=life.random.randrange(1, 30)), NOW - timedelta(minutes=1))
        if turn < 0.35:
            settle(life, touch, life.one_of(OUTCOMES), later, later + timedelta(days=2))
        elif turn < 0.50:
            note = life.one_of(("withdrawn: the plan changed", "expired: nobody had time", "by hand"))
            announce(life, "touchpoint.cancelled", later, touch, note=note)
        elif turn < 0.60:
            announce(life, "touchpoint.overdue", later, touch, note="two days late")


ASKS = ("expansion_discovery", "advocacy_ask", "expansion_proposal")
CALLS = ("ad_hoc_call", "intro_call", "milestone_check_in")
STEPS = (
    ("renewal_escalation", 7, 7),
    ("renewal_urgency", 14, 7),
    ("renewal_proposal", 30, 16),
    ("renewal_discussion", 60, 30),
    ("renewal_value_summary", 90, 30),
)
"""Steps of a renewal: so many days before it, for so many days."""


def issued(life: Life, contract: str, starts: datetime, renews: datetime) -> None:
    """What came due in the last months: cool-downs, budgets and rhythms read it."""
    if life.chance(0.25):
        for _ in range(life.random.randrange(1, 4)):
            _issued_once(life)
    if life.chance(0.2):
        _issued_again(life)
    lead = (renews - NOW).days
    if 0 < lead < 90 and life.chance(0.5):
        # The step of the renewal that began last.
        step, before, within = next(each for each in STEPS if lead <= each[1])
        opened = renews - timedelta(days=before)
        identity = touchpoint_id(life.account, step, contract, day(starts))
        touch = Touch(step, identity, f"renewal-{before}", opened + timedelta(days=within))
        announce(life, "touchpoint.due", min(opened + timedelta(hours=9), NOW - timedelta(hours=1)), touch)
        if life.chance(0.5):
            settle(life, touch, life.one_of(OUTCOMES), NOW - timedelta(minutes=30), NOW + timedelta(days=1))


def _issued_once(life: Life) -> None:
    kind = life.one_of((*ASKS, *CALLS))
    due = ago(life.between(0, 13) if kind in CALLS else life.between(1, 100))
    identity = touchpoint_id(life.account, kind, f"{life.random.randrange(1 << 32)}")
    touch = Touch(kind, identity, f"old-{kind}", due + timedelta(days=14))
    if life.chance(0.5):
        touch = touch._replace(rule="by hand", policy="")
    announce(life, "touchpoint.due", due, touch)
    if life.chance(0.5):
        settle(life, touch, life.one_of(OUTCOMES), due + timedelta(hours=20), due + timedelta(days=3))


def _issued_again(life: Life) -> None:
    """An occurrence of a rhythm, perhaps put off, perhaps ended after that."""
    due = ago(life.between(0, 30))
    number = life.random.randrange(1, 30)
    identity = touchpoint_id(life.account, "check_in", f"{number}")
    touch = Touch("check_in", identity, "enterprise-check-in", due + timedelta(days=3))
    announce(life, "touchpoint.due", due, touch, occurrence=number)
    for outcome in ("rescheduled", life.one_of(OUTCOMES))[: life.random.randrange(3)]:
        to = due + timedelta(days=6)
        due += timedelta(days=1, hours=2)
        settle(life, touch, outcome, due, to)


# Telemetry

USES = ("steady", "falling", "spiking", "silent", "full", "none")
HEALTHS = ("green", "yellow", "red", "falling", "colours", "none")


class Telemetry:
    """Usage and health, as much of it as is asked for; the newest first, so that less of it is less history."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.use = life.one_of(USES, (34, 14, 12, 14, 14, 12))
        self.health = life.one_of(HEALTHS, (40, 18, 12, 8, 14, 8))
        self.base = life.random.randrange(5, 400)
        self.seats = life.random.randrange(5, 500)
        self.silence = life.random.randrange(14, 70) if self.use == "silent" else 0
        self.step = life.one_of(("day", "week"), (1, 3))
        self.offset = life.random.randrange(24)
        self._users = self._scores = 0

    def tell(self) -> None:
        scoring = self.health != "none" and (self.use == "none" or self.life.chance(0.4))
        if scoring:
            self._score()
        else:
            self._usage()

    def _usage(self) -> None:
        life, back = self.life, self._users
        self._users += 1
        length = 1 if self.step == "day" else 7
        end = ago(self.silence + back * length, self.offset % 7)
        late = timedelta(hours=life.random.randrange(1, 30)) if life.chance(0.1) else timedelta(minutes=20)
        level = float(self.base)
        if self.use == "falling" and back * length < 28:
            level *= 0.4
        if self.use == "spiking" and back * length < 7:
            level *= 2.2
        level *= 0.9 + 0.2 * life.random.random()
        data: Data = {
            "period_start": timestamp(end - timedelta(days=length)),
            "period_end": timestamp(end),
            "active_users": int(level),
        }
        if life.chance(0.7):
            data["events"] = int(level * 40 * length)
        if life.chance(0.5):
            share = 0.96 if self.use == "full" else 0.55
            data |= {"seats": self.seats, "seats_used": int(self.seats * share)}
        elif life.chance(0.05):
            data |= {"seats": None, "seats_used": None}
        if life.chance(0.2):
            data["features"] = {"boards": int(level) * 3, "api": round(level / 7, 2)}
        if life.chance(0.15):
            used = 95.5 if self.use == "full" else 40
            data["limits"] = {
                "api calls": {"used": used, "limit": 100},
                "storage": {"used": 1, "limit": 20.5},
            }
        elif life.chance(0.02):
            data["limits"] = None
        life.tell("usage.reported", end + late, data, source="/product")

    def _score(self) -> None:
        life, back = self.life, self._scores
        self._scores += 1
        at = ago(1 + back * life.between(7, 9), self.offset)
        middle = {
            "green": 84,
            "yellow": 55,
            "red": 22,
            "falling": 35 + 6 * min(back, 9),
            "colours": 60,
            "none": 80,
        }[self.health]
        score = round(min(100.0, max(0.0, middle + life.between(-9, 9))), 1)
        data: Data = {"score": score if life.chance(0.5) else int(score)}
        if self.health == "colours":
            data = {"color": life.one_of(COLORS, (2, 3, 5))}
        elif life.chance(0.1):
            data["color"] = None
        if life.chance(0.15):
            data["drivers"] = ["usage", {"name": "tickets", "value": -0.25}]
        life.tell("health.scored", at, data, source="/health")


# What concerns many


def common() -> list[Event]:
    """CSMs and programs."""
    life = Life(0, -1)
    for number, csm in enumerate(CSMS):
        life.account = csm
        data: Data = {
            "name": f"Csm {csm[4:].title()}",
            "email": f"{csm}@drumbeat.example",
            "timezone": ZONES[number % len(ZONES)],
            "weekly_minutes": 1_200 + 100 * number,
            "working_days": ["mon", "tue", 3, "thu", "friday"]
            if number % 2
            else ["sun", "mon", "tue", "wed", "thu"],
            "working_hours": {"from": "09:00", "to": "17:30"} if number % 2 else "08:00-24:00",
            "time_off": ["2026-06-15", {"from": "2026-07-01", "to": "2026-07-14"}],
        }
        life.tell("csm.described", ago(300 + number), data)
        life.tell(
            "csm.described",
            ago(40 - number),
            {"pool": "growth" if number % 3 else None, "weekly_minutes": 900},
        )
    programs: tuple[tuple[str, str, int, Data], ...] = (
        ("spring", "release", -3, {"meaningful": True, "title": "Spring release"}),
        ("fix", "release", -2, {"meaningful": False, "title": "Fixes"}),
        ("march", "release", -80, {"meaningful": True, "title": "March release"}),
        (
            "summer",
            "release",
            40,
            {"meaningful": True, "audience": 'segment in ["enterprise", "mid_market"]'},
        ),
        ("intro", "webinar", 5, {"title": "First steps"}),
        ("deep", "webinar", 9, {"audience": 'stage == "growth" or stage == "renewal"', "title": "Deep dive"}),
        ("tomorrow", "webinar", 1, {"audience": "arr_percentile is not null and arr_percentile >= 50"}),
        ("july", "webinar", 50, {"title": "July webinar", "audience": None}),
        ("summit", "event", 20, {"title": "Summit", "audience": 'segment == "enterprise"'}),
        (
            "fair",
            "event",
            70,
            {"title": "Autumn fair", "audience": "days_since_start is not null and days_since_start > 200"},
        ),
        ("letter", "newsletter", 2, {"title": "June"}),
        ("broken", "webinar", 12, {"audience": "nobody knows this word > 3"}),
        (
            "untimed",
            "release",
            0,
            {"meaningful": True, "audience": "seat_ratio is not null and seat_ratio > 50%"},
        ),
    )
    life.account = "*"
    for name, kind, days, more in programs:
        at = None if name == "untimed" else timestamp(NOW + timedelta(days=days, hours=9))
        first: Data = {"program_id": name, "kind": kind, **more} | ({"at": at} if at else {})
        life.tell(
            "program.announced",
            ago(100 - len(name) if days > -60 else 110) if at else ago(4),
            first,
            source="/marketing",
        )
    life.tell(
        "program.announced",
        ago(1),
        {"program_id": "intro", "title": "First steps, anew"},
        source="/marketing",
    )
    moved: Data = {"program_id": "summit", "at": timestamp(NOW + timedelta(days=21, hours=9))}
    life.tell("program.announced", ago(9), moved, source="/marketing")
    return life.told


def _live(seed: int, index: int) -> Life:
    life = Life(seed, index)
    _, arr = describe(life)
    contacts = people(life)
    _, contract, starts, renews = contracts(life, arr)
    preferences(life, contacts)
    pauses(life, contacts)
    long_ago(life, contacts)
    habits(life)
    answers(life, lately(life))
    issued(life, contract, starts, renews)
    return life


def _contradict(life: Life, event: Event) -> Event:
    """The same id with another content: two systems, or one that forgot what it said."""
    other = dict(event)
    data = other["data"]
    assert isinstance(data, dict)
    other["data"] = {**data, "extra": life.random.randrange(100)}
    return other


def events(seed: int = 8, accounts: int = 1000, count: int = 100_000) -> Iterator[Event]:
    """Exactly `count` events (as far as the accounts' lives do not need more), in the order in which they arrive."""
    lives = [_live(seed, index) for index in range(accounts)]
    told = common()
    repeated = count // 400
    room = max(0, count - repeated - len(told) - sum(len(life.told) for life in lives))
    shares = [1 + life.random.randrange(4) for life in lives]
    given = passed = 0
    for life, share in zip(lives, shares, strict=True):
        passed += share
        telemetry = Telemetry(life)
        while given < room * passed // sum(shares):
            given += 1
            telemetry.tell()
    for life in lives:
        told += life.told
    random = Random(seed)
    for each in range(repeated):
        life = lives[random.randrange(accounts)]
        event = life.told[random.randrange(len(life.told))]
        told.append(event if each % 8 else _contradict(life, event))
    order = [(_arrival(random, event), number) for number, event in enumerate(told)]
    order.sort()
    for _, number in order[:count]:
        yield told[number]


def _arrival(random: Random, event: Event) -> int:
    """Seconds: most come in order, some hours late, some months late, and a few before what led to them."""
    turn = random.random()
    late = 5.0 if turn < 0.85 else 86_400.0 if turn < 0.97 else 86_400.0 * 90
    return int(moment_of(event).timestamp() + late * random.random())
