"""Mailboxes in settings: one, with a name that needs no quotes."""

import pytest

from services.chassis.mailbox import ParsedMailbox, check_address_lines, parse_mailbox


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("success@northwind.example", "", "success@northwind.example"),
        (" Northwind <success@northwind.example> ", "Northwind", "success@northwind.example"),
        (
            "Müller, Söhne & Co. (EU) <a@bücher.example>",
            "Müller, Söhne & Co. (EU)",
            "a@xn--bcher-kva.example",
        ),
        ('"Lee, Ann" <ann@faß.example>', "Lee, Ann", "ann@xn--fa-hia.example"),
        ("Drumbeat <drumbeat@localhost>", "Drumbeat", "drumbeat@localhost"),
    ],
)
def test_a_mailbox_has_a_name_and_an_address_by_idna_2008(value: str, name: str, address: str) -> None:
    assert parse_mailbox(value) == ParsedMailbox(name, address)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "a@b",
        "a@b.example, c@d.example",
        "A <a@b.example> x",
        "a@b.example\nX: y",
        "<>",
        "A <>",
        "@b.example",
    ],
)
def test_what_is_not_one_mailbox_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"mailbox|mail address|one line"):
        parse_mailbox(value)


def test_a_postal_address_has_lines() -> None:
    assert check_address_lines(" 1 Long Road \\n\nSpringfield ") == "1 Long Road\nSpringfield"
    with pytest.raises(ValueError, match="lines"):
        check_address_lines(" ")
