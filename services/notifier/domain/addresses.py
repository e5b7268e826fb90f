"""Mail addresses as identities: two spellings that reach one mailbox are one address."""

import hmac
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from unicodedata import normalize


@lru_cache(maxsize=10_000)
def clean_address(address: str) -> str:
    """The address without outer blanks, in lower case and NFKC, its domain in letters and not in `xn--` (RFC 5890).

    RFC 5321 lets a mail server tell letter case apart before the `@`; none in use does.
    """
    local, at, domain = normalize("NFKC", address.strip()).lower().rpartition("@")
    labels = domain.replace("\u3002", ".").rstrip(".").split(".")
    return f"{local}{at}{'.'.join(map(_readable_label, labels))}"


def _readable_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return normalize("NFKC", label[4:].encode("ascii").decode("punycode")).lower()
    except UnicodeError:
        return label


@dataclass(frozen=True, slots=True)
class AddressKey:
    """The key under which addresses are stored as hashes: who has only the database cannot test an address.

    A hash is HMAC-SHA256 (RFC 2104) over the SHA-256 of the address.
    """

    key: bytes

    def hash_address(self, address: str) -> bytes:
        """The hash of the cleaned address."""
        return self.hash_digest(sha256(clean_address(address).encode()).digest())

    def hashes_of(self, address: str) -> set[bytes]:
        """The hashes under which an address may be stored: earlier versions stored it in lower case, not cleaned."""
        return {self.hash_address(address), self.hash_digest(sha256(address.lower().encode()).digest())}

    def hash_digest(self, digest: bytes) -> bytes:
        """The hash of an address of which only the SHA-256 is known, as earlier versions stored it."""
        return hmac.digest(self.key, digest, "sha256")

    @property
    def fingerprint(self) -> bytes:
        """Tells keys apart without showing them."""
        return hmac.digest(self.key, b"fingerprint", "sha256")[:16]
