"""E-mail addresses: what a door accepts, the mailer can send to, because both ask here.

An address is a dot-atom, `@` and a host name with a dot, or `localhost` (RFC 5321 section 4.1.2, RFC 5322 section
3.4.1), without quotes, comments or address literals. An internationalised domain is encoded by IDNA 2008 (RFC 5891,
mapped by UTS 46). A local part beyond ASCII needs SMTPUTF8 (RFC 6531) on every relay of the way, which nobody can
promise: it is refused.
"""

import re
from typing import Final

import idna

from schemas.problems import excerpt

MAX_ADDRESS: Final = 254
"""Characters of an address: a path of 256 octets without its angle brackets (RFC 5321 section 4.5.3.1.3)."""
MAX_LOCAL: Final = 64
"""Octets before the `@` (RFC 5321 section 4.5.3.1.1)."""
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = rf"{_ATOM}(?:\.{_ATOM})*"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?:{_LABEL}\.)+(?!\d+$){_LABEL}|localhost")
_PLAIN: Final = re.compile(rf"(?=[^@]{{1,{MAX_LOCAL}}}@){_LOCAL}@(?:{_HOST.pattern})")
_DOT_ATOM: Final = re.compile(_LOCAL)
_EXAMPLE: Final = "write it like ada@example.com"


def encode_address(address: str) -> str:
    """The address as SMTP carries it, with its domain in ASCII. Raises ValueError, which says what is wrong with it."""
    if len(address) > MAX_ADDRESS:
        raise ValueError(f"is longer than {MAX_ADDRESS} characters; shorten it")
    if _PLAIN.fullmatch(address) and "--" not in address:
        return address
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise ValueError(f"{excerpt(address)} is not a plain email address; {_EXAMPLE}")
    if not local.isascii():
        raise ValueError(
            f"{excerpt(address)} has letters beyond ASCII before the @, which mail servers need not accept; "
            "give the person's address in ASCII letters"
        )
    if not _DOT_ATOM.fullmatch(local) or len(local) > MAX_LOCAL:
        raise ValueError(
            f"{excerpt(address)} is not a plain email address: {excerpt(local)} before the @ is not 1 to "
            f"{MAX_LOCAL} letters, digits and signs with single dots inside; {_EXAMPLE}"
        )
    encoded = f"{local}@{_encode_domain(address, domain)}"
    if len(encoded) > MAX_ADDRESS:
        raise ValueError(f"is longer than {MAX_ADDRESS} characters with its domain in ASCII; shorten it")
    return encoded


def check_address(address: str) -> str:
    """The address itself. Raises ValueError, which says what is wrong with it."""
    encode_address(address)
    return address


def _encode_domain(address: str, domain: str) -> str:
    try:
        # A label may begin with `xn--` only when it is a valid A-label (RFC 5891 section 5.4).
        has_a_label = any(label.startswith("xn--") for label in domain.lower().split("."))
        encoded = domain if domain.isascii() and not has_a_label else _to_ascii(domain)
    except idna.IDNAError as wrong:
        raise ValueError(
            f"{excerpt(address)} has no valid domain after the @ by IDNA 2008 ({excerpt(str(wrong))})"
        ) from None
    if not _HOST.fullmatch(encoded):
        raise ValueError(
            f"{excerpt(address)} is not a plain email address: {excerpt(domain)} after the @ is not a "
            f"domain such as example.com; {_EXAMPLE}"
        )
    return encoded


def _to_ascii(domain: str) -> str:
    return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
