"""The sample CSMs and accounts: several time zones, every segment, and one notable situation for each account."""

from dataclasses import dataclass
from typing import Final

HOUR: Final = 1 / 24


@dataclass(frozen=True, slots=True)
class Csm:
    """A customer success manager. `days` and `hours`: working time in the person's own time zone."""

    id: str
    name: str
    timezone: str
    weekly_minutes: int = 1_500
    days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")
    hours: str = "09:00-17:00"
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account and its facts. `renews_in` is in days from now, other numbers of days are in the past."""

    id: str
    name: str
    arr: int
    csm: str | None
    industry: str
    country: str
    timezone: str
    champion: str
    started: int
    renews_in: int
    seats: tuple[int, int]
    scores: tuple[int, ...]
    """Health scores, oldest first, a week apart; the last is an hour old."""
    nps: int | None = None
    """The score of an answer an hour ago."""
    last_contact: int | None = None
    spike: bool = False
    milestone: str | None = None
    expansion: str | None = None
    language: str = "en"
    opted_out_of: str | None = None


CSMS: Final = (
    Csm("csm-ana", "Ana Petrov", "Europe/Berlin"),
    Csm("csm-joe", "Joe Alvarez", "America/New_York"),
    Csm("csm-layla", "Layla Haddad", "Asia/Dubai", days=("sun", "mon", "tue", "wed", "thu")),
    Csm("csm-mei", "Mei Tanaka", "Asia/Tokyo"),
    Csm(
        "csm-desk",
        "The Weekend Desk",
        "UTC",
        weekly_minutes=6_000,
        days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        hours="00:00-24:00",
        pool="growth",
    ),
)

ACCOUNTS: Final = (
    Account(
        "northwind", "Northwind Freight", 420_000, "csm-ana", "logistics", "DE", "Europe/Berlin", "Jonas Weber",
        started=640, renews_in=59, seats=(400, 352), scores=(82, 80, 84), last_contact=20, language="de",
    ),
    Account(
        "halcyon", "Halcyon Health", 310_000, "csm-joe", "healthcare", "US", "America/Chicago", "Maria Ortiz",
        started=500, renews_in=210, seats=(300, 190), scores=(74, 58, 31), last_contact=12,
    ),
    Account(
        "cedar-bank", "Cedar Bank", 275_000, "csm-layla", "banking", "AE", "Asia/Dubai", "Omar Farouk",
        started=410, renews_in=88, seats=(250, 238), scores=(71, 73, 76), last_contact=33,
    ),
    Account(
        "polar-labs", "Polar Labs", 96_000, "csm-desk", "biotech", "SE", "Europe/Stockholm", "Elin Berg",
        started=330, renews_in=35, seats=(120, 88), scores=(78, 81, 88), nps=9, last_contact=16,
    ),
    Account(
        "sakura-retail", "Sakura Retail", 84_000, "csm-mei", "retail", "JP", "Asia/Tokyo", "Kenji Mori",
        started=200, renews_in=165, seats=(100, 95), scores=(83, 85, 86), last_contact=9,
    ),
    Account(
        "brightside", "Brightside Energy", 72_000, "csm-desk", "energy", "GB", "Europe/London", "Tom Hughes",
        started=760, renews_in=29, seats=(90, 41), scores=(62, 55, 48), last_contact=25,
    ),
    Account(
        "quill", "Quill & Co", 55_000, "csm-desk", "publishing", "US", "America/New_York", "Dana Cole",
        started=120, renews_in=245, seats=(60, 57), scores=(90, 91, 93), last_contact=40,
        expansion="team_growth",
    ),
    Account(
        "tidewater", "Tidewater Travel", 28_000, "csm-desk", "travel", "PT", "Europe/Lisbon", "Rita Sousa",
        started=14, renews_in=351, seats=(40, 12), scores=(70,), last_contact=13, language="pt",
    ),
    Account(
        "marble-games", "Marble Games", 22_000, "csm-desk", "games", "CA", "America/Toronto", "Sam Roy",
        started=280, renews_in=85, seats=(30, 28), scores=(77, 79, 80), spike=True, last_contact=60,
    ),
    Account(
        "ohana-hotels", "Ohana Hotels", 18_000, "csm-desk", "hospitality", "US", "Pacific/Honolulu", "Lani Kahale",
        started=390, renews_in=340, seats=(25, 20), scores=(88, 92, 95), nps=10,
        milestone="first year of value", last_contact=50,
    ),
    Account(
        "tinker", "Tinker Tools", 4_800, None, "manufacturing", "NL", "Europe/Amsterdam", "Bram Visser",
        started=45, renews_in=320, seats=(10, 9), scores=(66, 64), language="nl",
    ),
    Account(
        "papercrane", "Papercrane", 1_900, None, "design", "AU", "Australia/Sydney", "Isla Moore",
        started=75, renews_in=7, seats=(5, 5), scores=(80, 82), opted_out_of="promotion",
    ),
)  # fmt: skip
