"""What the benchmark of costs reckons with: a book that services can read, and work without what rest takes."""

from tests.benchmarks.costs import HISTORY_DAYS, PEOPLE, Reading, book, spent_between


def test_the_book_has_people_and_accounts_under_their_own_keys() -> None:
    messages = list(book(5))
    subjects = [dict(each.headers)["ce_subject"] for each in messages]
    assert [each.key for each in messages] == subjects
    people = [subject for subject in subjects if subject.startswith(b"csm-")]
    assert len(people) == len(set(people)) == PEOPLE
    assert len(messages) == PEOPLE + 5 * (3 + 1 + HISTORY_DAYS)


def test_what_a_part_takes_at_rest_is_no_part_of_its_work() -> None:
    before = Reading(at=10.0, seconds={"scheduler": 1.0, "kafka": 5.0}, bytes={}, counts={})
    after = Reading(at=20.0, seconds={"scheduler": 4.0, "kafka": 5.1}, bytes={}, counts={})

    spent = spent_between(before, after, {"scheduler": 0.1, "kafka": 0.1})

    assert spent == {"scheduler": 2.0, "kafka": 0.0}
