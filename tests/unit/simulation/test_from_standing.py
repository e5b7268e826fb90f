"""The book of a deployment leads with whoever took over, and says what it leaves as it is (F4, U8)."""

from typing import Any, cast

from schemas.standing import StandingAccount
from services.simulation.book import Period
from services.simulation.document import make_document
from services.simulation.from_standing import StoredAccount, book_accounts
from services.simulation.jobs import add_up, plan_jobs, simulate
from services.simulation.totals import Totals, Wanted
from tests.unit.simulation.books import NOW, account, book_of, person, write


def test_an_account_that_was_handed_over_is_led_by_whoever_took_it() -> None:
    events = [person("ana"), person("ben"), *account("acme", 250_000, csm_id="ana")]
    book = book_of(write(events))
    standing = StandingAccount.of_valid(account_id="acme", csm_id="ana", handovers={"ana": "ben"})
    [stored] = book.accounts
    accounts, _ = book_accounts([StoredAccount("acme", stored.state, None, None)], [standing])
    period, wanted = Period(book.now, 60), Wanted(60, keep_schedule=True)
    jobs = plan_jobs(book.rules, accounts, book.colleagues, period, wanted, 2)
    document = cast("dict[str, Any]", add_up(list(map(simulate, jobs)), "p", period, wanted))
    assert {each["csm_id"] for each in document["schedule"]} == {"ben", None}


def test_accounts_of_people_who_have_left_are_named_as_not_shared_out() -> None:
    totals = Totals()
    totals.add(Totals(left=["zoe", "ada"]))
    period = Period(NOW, 1)
    assert make_document(totals, "p", period, Wanted(1))["notes"] == [
        "accounts of people who have left are not shared out here: ada, zoe"
    ]
    assert make_document(Totals(), "p", period, Wanted(1))["notes"] == []
