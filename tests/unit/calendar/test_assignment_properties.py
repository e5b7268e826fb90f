"""Who leads a touchpoint: the person who is named, else whom the account has, else who has the least to do."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.calendar.assignment import (
    NO_MINUTES,
    YEAR_BLOCKS,
    AccountOwners,
    Person,
    Staff,
    measure_host,
    name_owners,
    planned_minutes,
)
from services.calendar.levelling import Host
from services.calendar.open_hours import DateSpan
from services.calendar.person_hours import read_hours
from tests.unit.calendar.plans import NOW, OFFICE, one_off, plan, rhythm

POOLS = ("emea", "smb")
people = st.lists(
    st.builds(
        Person,
        st.sampled_from("abcdef"),
        st.sampled_from([None, *POOLS]),
        st.sampled_from([None, "csm", "manager", "sales", "marketing"]),
    ),
    unique_by=lambda person: person.csm_id,
)
minutes = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 900))
FULL = (9600,) * YEAR_BLOCKS


def hosts_of(loads: Mapping[str, int]) -> dict[str, Host]:
    return {name: Host(name, (loads.get(name, 0),) * YEAR_BLOCKS, FULL) for name in "abcdef"}


def asks(each: int) -> tuple[int, ...]:
    """Minutes in every block."""
    return (each,) * YEAR_BLOCKS


lines = st.sampled_from(["pooled_csm", "sales"])
accounts = st.builds(AccountOwners, st.sampled_from(["acme", "bolt"]), pool=st.sampled_from([None, *POOLS]))


@given(people, minutes, accounts, lines)
def test_while_anybody_may_lead_it_the_one_with_the_least_to_do_gets_it(
    everybody: list[Person], loads: dict[str, int], account: AccountOwners, line: str
) -> None:
    """S162, S165: nothing is without an owner while the pool has members."""
    staff = Staff(everybody, {}, hosts_of(loads))
    able = staff.candidates(account, line)  # type: ignore[arg-type]

    person = staff.assign(account, line, asks(30))  # type: ignore[arg-type]

    assert (person is None) == (not able)
    if person is not None:
        least = min((loads.get(each, 0), each) for each in able)
        assert (loads.get(person, 0), person) == least
        assert staff.hosts[person].minutes == asks(loads.get(person, 0) + 30)


@given(people, people, minutes, accounts, lines)
def test_an_account_keeps_its_person_whatever_others_have_to_do(
    before: list[Person], after: list[Person], loads: dict[str, int], account: AccountOwners, line: str
) -> None:
    """S162: the customer meets the same person while that person is there."""
    first = Staff(before, {}, {}).assign(account, line, asks(30))  # type: ignore[arg-type]
    kept: dict[tuple[str, str], str] = {} if first is None else {(account.account_id, line): first}
    staff = Staff(after, kept, hosts_of(loads))  # type: ignore[arg-type]

    again = staff.assign(account, line, asks(30))  # type: ignore[arg-type]

    if first is not None and first in staff.candidates(account, line):  # type: ignore[arg-type]
        assert again == first
        assert staff.given == {}


@given(st.integers(1, 40))
def test_a_batch_of_accounts_is_spread_evenly_over_a_pool(count: int) -> None:
    staff = Staff([Person(name, "smb") for name in "abc"], {}, {})

    given_to = [
        staff.assign(AccountOwners(f"a{n}", pool="smb"), "pooled_csm", asks(30)) for n in range(count)
    ]

    shares = [given_to.count(name) for name in "abc"]
    assert max(shares) - min(shares) <= 1


def test_managers_marketing_and_sales_are_no_pooled_csms() -> None:
    staff = Staff([Person("a", "smb", "manager"), Person("b", "smb", "sales"), Person("c", "emea")], {}, {})

    assert staff.assign(AccountOwners("acme", pool="smb"), "pooled_csm", asks(30)) is None
    assert staff.assign(AccountOwners("acme", pool="emea"), "sales", asks(30)) == "b"


def test_the_person_whom_the_plan_or_the_directory_names_comes_first() -> None:
    """S161, S166: a dedicated CSM, the account's person of sales."""
    wanted = plan(
        [
            rhythm(owner="csm", csm_id="ada"),
            rhythm(touchpoint_type="pooled", owner="pooled_csm", csm_id="ada"),
            rhythm(touchpoint_type="tips", owner="marketing", csm_id=None),
        ],
        [
            one_off("a", owner="sales", csm_id=None),
            one_off("b", owner="pooled_csm", csm_id=None),
            one_off("c", csm_id=None),
        ],
    )
    account = AccountOwners("acme", "ada", "sam", "smb")

    named = name_owners(wanted, account, {"pooled_csm": "bob", "sales": "zoe"})

    assert [each.csm_id for each in named.rhythms] == ["ada", "ada", None]
    assert [each.csm_id for each in named.touchpoints] == ["sam", "bob", None]
    assert name_owners(named, account, {"pooled_csm": "bob"}) is named


def test_the_work_of_a_year_counts_by_blocks_of_four_weeks() -> None:
    wanted = plan(
        [rhythm(7, owner="pooled_csm", minutes=30)],
        [
            one_off("near", 3, owner="pooled_csm", minutes=45),
            one_off("later", 40, owner="pooled_csm", minutes=60),
            one_off("beyond", 400, owner="pooled_csm", minutes=60),
        ],
    )

    assert planned_minutes(wanted, "pooled_csm", NOW) == (165, 180, *(120,) * 11)
    assert planned_minutes(wanted, "sales", NOW) == NO_MINUTES


def test_an_account_goes_to_whom_its_year_fits_and_not_to_whom_is_free_now() -> None:
    """S162: of two with the same minutes in all, the one who has room when the account needs it."""
    hosts = {
        "early": Host("early", (4000, *(0,) * 12), FULL),
        "late": Host("late", (*(0,) * 12, 4000), FULL),
    }
    people = [Person("early", "smb"), Person("late", "smb")]

    def take(minutes: tuple[int, ...]) -> str | None:
        staff = Staff(people, {}, dict(hosts))
        return staff.assign(AccountOwners("acme", pool="smb"), "pooled_csm", minutes)

    assert take((300, *(0,) * 12)) == "late"
    assert take((*(0,) * 12, 300)) == "early"


def test_whoever_is_away_in_a_block_has_no_room_in_it() -> None:
    away = replace(OFFICE, away=(DateSpan(date(2026, 3, 2), date(2026, 3, 29)),))

    host = measure_host("ada", [(0, 60), (1, 30), (13, 99)], away, 2400, NOW)

    assert host.minutes == (60, 30, *(0,) * 11)
    assert host.available == (0, *(9600,) * 12)


def test_an_account_of_which_no_minutes_are_known_goes_to_whoever_has_the_least() -> None:
    staff = Staff([Person("a", "smb"), Person("b", "smb")], {}, hosts_of({"a": 60}))

    assert staff.assign(AccountOwners("acme", pool="smb"), "pooled_csm", NO_MINUTES) == "b"


def test_somebody_without_working_days_has_no_minutes_and_gets_no_account() -> None:
    nobody, _ = read_hours("Europe/Berlin", [], None, None)
    hosts = {
        "ada": measure_host("ada", [(block, 9_000) for block in range(13)], OFFICE, 1500, NOW),
        "idle": measure_host("idle", [], nobody, 1500, NOW),
    }
    staff = Staff([Person("ada", "smb"), Person("idle", "smb")], {}, hosts)

    assert hosts["idle"].available == NO_MINUTES
    assert staff.assign(AccountOwners("acme", pool="smb"), "pooled_csm", (60,) * 13) == "ada"
    alone = Staff([Person("idle", "smb")], {}, {"idle": hosts["idle"]})
    assert alone.assign(AccountOwners("acme", pool="smb"), "pooled_csm", (60,) * 13) is None
