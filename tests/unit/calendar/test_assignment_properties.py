"""Who leads a touchpoint: the person who is named, else whom the account has, else who has the least to do."""

from hypothesis import given
from hypothesis import strategies as st

from services.calendar.assignment import AccountOwners, Person, Staff, name_owners, planned_minutes
from tests.unit.calendar.plans import NOW, one_off, plan, rhythm

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
lines = st.sampled_from(["pooled_csm", "sales"])
accounts = st.builds(AccountOwners, st.sampled_from(["acme", "bolt"]), pool=st.sampled_from([None, *POOLS]))


@given(people, minutes, accounts, lines)
def test_while_anybody_may_lead_it_the_one_with_the_least_to_do_gets_it(
    everybody: list[Person], loads: dict[str, int], account: AccountOwners, line: str
) -> None:
    """S162, S165: nothing is without an owner while the pool has members."""
    staff = Staff(everybody, {}, dict(loads))
    able = staff.candidates(account, line)  # type: ignore[arg-type]

    person = staff.assign(account, line, 30)  # type: ignore[arg-type]

    assert (person is None) == (not able)
    if person is not None:
        least = min((loads.get(each, 0), each) for each in able)
        assert (loads.get(person, 0), person) == least
        assert staff.minutes[person] == loads.get(person, 0) + 30


@given(people, people, minutes, accounts, lines)
def test_an_account_keeps_its_person_whatever_others_have_to_do(
    before: list[Person], after: list[Person], loads: dict[str, int], account: AccountOwners, line: str
) -> None:
    """S162: the customer meets the same person while that person is there."""
    first = Staff(before, {}, {}).assign(account, line, 30)  # type: ignore[arg-type]
    kept: dict[tuple[str, str], str] = {} if first is None else {(account.account_id, line): first}
    staff = Staff(after, kept, dict(loads))  # type: ignore[arg-type]

    again = staff.assign(account, line, 30)  # type: ignore[arg-type]

    if first is not None and first in staff.candidates(account, line):  # type: ignore[arg-type]
        assert again == first
        assert staff.given == {}


@given(st.integers(1, 40))
def test_a_batch_of_accounts_is_spread_evenly_over_a_pool(count: int) -> None:
    staff = Staff([Person(name, "smb") for name in "abc"], {}, {})

    given_to = [staff.assign(AccountOwners(f"a{n}", pool="smb"), "pooled_csm", 30) for n in range(count)]

    shares = [given_to.count(name) for name in "abc"]
    assert max(shares) - min(shares) <= 1


def test_managers_marketing_and_sales_are_no_pooled_csms() -> None:
    staff = Staff([Person("a", "smb", "manager"), Person("b", "smb", "sales"), Person("c", "emea")], {}, {})

    assert staff.assign(AccountOwners("acme", pool="smb"), "pooled_csm", 30) is None
    assert staff.assign(AccountOwners("acme", pool="emea"), "sales", 30) == "b"


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


def test_the_work_of_the_next_four_weeks_counts() -> None:
    wanted = plan(
        [rhythm(7, owner="pooled_csm", minutes=30)],
        [one_off("near", 3, owner="pooled_csm", minutes=45), one_off("far", 40, owner="pooled_csm")],
    )

    assert planned_minutes(wanted, "pooled_csm", NOW) == 4 * 30 + 45
    assert planned_minutes(wanted, "sales", NOW) == 0
