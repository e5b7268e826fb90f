"""The ledger tells a mail that may go twice from one that may not."""

import pytest

from tests.faults.ledger import check_doubled_mails

ONCE, TWICE, THRICE = "<a1@x.example>", "<b2@x.example>", "<c3@x.example>"


def test_a_mail_in_doubt_may_go_more_than_once() -> None:
    check_doubled_mails([ONCE, TWICE, THRICE, TWICE, THRICE, THRICE], {"b2", "c3"})


def test_a_mail_that_was_in_no_doubt_goes_once() -> None:
    """Issue 11, A13: the ledger keeps doubled mails at those marked ambiguous."""
    with pytest.raises(AssertionError, match=r"\{.c3.: 2\}"):
        check_doubled_mails([ONCE, TWICE, THRICE, TWICE, THRICE], {"a1", "b2"})
