"""What a final refusal says of the address."""

import pytest

from services.notifier.domain.address_refusal import codes_of, refuses_address


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        (("5.1.1", "smtp; 550 5.1.1 no such user"), True),
        (("5.1.10", ""), True),
        (("5.2.1", "smtp; 550 disabled"), True),
        (("5.0.0", "smtp; 550 5.1.1 no such user"), True),
        (("5.0.0", "smtp; 550 no such user"), True),
        (("5.0.0", "smtp; 554 rejected"), False),
        (("5.1.8", "smtp; 553 bad sender"), False),
        (("5.2.2", "smtp; 552 mailbox full"), False),
        (("5.2.3", "smtp; 552 too large"), False),
        (("5.3.4", ""), False),
        (("5.4.14", "smtp; 554 hop count exceeded"), False),
        (("5.7.1", "smtp; 550 refused as spam"), False),
        (("550 5.7.26 unauthenticated",), False),
        (("", ""), True),
    ],
)
def test_only_what_is_about_the_address_or_says_nothing_refuses_it(
    reports: tuple[str, ...], *, expected: bool
) -> None:
    assert refuses_address(*reports) is expected


@pytest.mark.parametrize(
    ("report", "codes"),
    [
        ("550 5.1.1 <ann@acme.example>: user unknown", "550 5.1.1"),
        ("551 ann has moved", "551"),
        ("smtp; 5.2.1 disabled", "5.2.1"),
        ("a message bounced", ""),
    ],
)
def test_of_a_refusal_the_codes_are_kept_which_name_nobody(report: str, codes: str) -> None:
    """Issue 16, point 5."""
    assert codes_of(report) == codes
