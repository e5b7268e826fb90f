"""Mailboxes in settings: an address, or a name and an address in angle brackets (RFC 5322 section 3.4)."""

from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Annotated

import idna
from pydantic import AfterValidator

MAX_LINE = 200
_EXAMPLE = "write it like `Northwind <success@northwind.example>` or `success@northwind.example`"


@dataclass(frozen=True, slots=True)
class ParsedMailbox:
    """`name` is empty when there is none; `address` has its domain in ASCII (IDNA 2008, RFC 5891)."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def parse_mailbox(value: str) -> ParsedMailbox:
    """The one mailbox of a text. Raises ValueError, which says what is wrong with it."""
    line = check_line(value)
    name, opening, address = line[:-1].rpartition("<") if line.endswith(">") else ("", "", line)
    if "<" in name or "@" in name or (opening and not address):
        raise ValueError(f"not one mailbox; {_EXAMPLE}")
    return ParsedMailbox(" ".join(name.replace('"', "").split()), _encode_address(address.strip()))


def check_line(value: str) -> str:
    """The text without outer blanks. Raises ValueError unless it is one printable line that a mail header can carry."""
    line = value.strip()
    if not line or len(line) > MAX_LINE or not line.isprintable():
        raise ValueError(
            f"has to be one line of 1 to {MAX_LINE} characters without line breaks or control characters"
        )
    return line


def check_address_lines(value: str) -> str:
    """A postal address of one or several lines. Raises ValueError."""
    lines = [line.strip() for line in value.replace("\\n", "\n").splitlines() if line.strip()]
    if not lines or len(lines) > 8 or not all(len(line) <= MAX_LINE and line.isprintable() for line in lines):
        raise ValueError(
            f"has to be 1 to 8 lines of at most {MAX_LINE} characters without control characters"
        )
    return "\n".join(lines)


def _encode_address(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or not local.isascii():
        raise ValueError(f"not a mail address; {_EXAMPLE}")
    try:
        ascii_domain = domain if domain == "localhost" else idna.encode(domain, uts46=True).decode("ascii")
        Address(addr_spec=f"{local}@{ascii_domain}")
    except (HeaderParseError, ValueError, IndexError) as problem:
        raise ValueError(f"not a mail address ({problem}); {_EXAMPLE}") from problem
    if " " in local or '"' in local or (ascii_domain != "localhost" and "." not in ascii_domain):
        raise ValueError(f"not a mail address; {_EXAMPLE}")
    return f"{local}@{ascii_domain}"


def _check_mailbox(value: str) -> str:
    parse_mailbox(value)
    return value.strip()


Mailbox = Annotated[str, AfterValidator(_check_mailbox)]
Line = Annotated[str, AfterValidator(check_line)]
AddressLines = Annotated[str, AfterValidator(check_address_lines)]
