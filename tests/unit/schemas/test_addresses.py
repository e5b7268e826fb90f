"""One rule for e-mail addresses: what a door accepts, the mailer can send to."""

import json

import pytest

from schemas.addresses import check_address, encode_address
from schemas.facts import ContactDescribed
from schemas.problems import Malformed


@pytest.mark.parametrize(
    ("address", "encoded"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.Love+x@Sub.Example.com", "Ada.Love+x@Sub.Example.com"),
        ("o'neil@example.co", "o'neil@example.co"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@Bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@例え.jp", "ann@xn--r8jz45g.jp"),
        ("ann@faß.de", "ann@xn--fa-hia.de"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_a_domain_beyond_ascii_is_encoded_by_idna_2008(address: str, encoded: str) -> None:
    """Row 35: the rules of 2003 made `strasse.example` of it, another domain."""
    assert encode_address(address) == encoded
    assert check_address(address) == address


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("jörg@example.com", "beyond ASCII before the @"),
        ("ann..lee@example.com", "single dots"),
        (".ann@example.com", "single dots"),
        ("ann@example", "domain such as example.com"),
        ("ann@ex_ample.com", "domain such as example.com"),
        ("ann@-example.com", "domain such as example.com"),
        ("ann@example.com.", "domain such as example.com"),
        ("ann@192.168.0.1", "domain such as example.com"),
        ("ann@[192.168.0.1]", "domain such as example.com"),
        ("ann@☃☃.com", "IDNA 2008"),
        ("ann@xn--a.example", "IDNA 2008"),
        ('"ann lee"@example.com', "before the @"),
        (f"{'a' * 65}@example.com", "1 to 64"),
        (f"ann@{'a.' * 130}com", "254 characters"),
        (f"ann@{'ü' * 60}.de", "IDNA 2008"),
        ("ann", "not a plain email address"),
        ("@example.com", "not a plain email address"),
        ("", "not a plain email address"),
    ],
)
def test_an_address_that_no_mail_reaches_is_refused_with_the_reason(address: str, words: str) -> None:
    """Row 34."""
    with pytest.raises(ValueError, match=words):
        encode_address(address)


def test_the_door_gives_the_reason_with_the_path() -> None:
    """Row 34: the same rule as the mailer's, when the contact is described."""
    body = json.dumps({"contact_id": "c", "email": "jörg@example.com"}).encode()
    with pytest.raises(Malformed, match=r"^data\.email: .*beyond ASCII before the @"):
        ContactDescribed.read(body)
