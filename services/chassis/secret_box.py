"""Secrets at rest: encrypted with AES-256-GCM (NIST SP 800-38D) under the key file of the deployment.

A sealed secret is `drb1`, eight bytes that name the key, a random nonce of 12 bytes, and the ciphertext with its tag.
What it is about (for instance the id of its row) is associated data: one that is copied to another row does not open.
"""

import hmac
import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK: Final = b"drb1"
NAME_BYTES, NONCE_BYTES = 8, 12
MOST_OPENED: Final = 16_384
"""Opened secrets that are remembered: whoever reads the same rows each second decrypts each of them once."""


class SecretUnreadable(Exception):
    """The secret was sealed under a key that the key file does not have, or for something else."""


class SecretBox:
    """Seals under the first key and opens under each. Without keys it opens only what is not sealed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._names = [_digest(key, b"name")[:NAME_BYTES] for key in keys]
        self._ciphers = {
            name: AESGCM(_digest(key, b"secrets at rest"))
            for name, key in zip(self._names, keys, strict=True)
        }
        self.fingerprints: Final = tuple(_digest(key, b"fingerprint")[:16] for key in keys)
        """Tell the keys apart without showing them, in their order."""
        self.open = lru_cache(maxsize=MOST_OPENED)(self._open)

    def seal(self, secret: bytes, about: str) -> bytes:
        name, nonce = self._names[0], secrets.token_bytes(NONCE_BYTES)
        return MARK + name + nonce + self._ciphers[name].encrypt(nonce, secret, about.encode())

    def is_current(self, stored: bytes) -> bool:
        """Whether this is sealed under the first key."""
        return stored.startswith(MARK + self._names[0])

    def _open(self, stored: bytes, about: str) -> bytes:
        """The secret. What an earlier release stored as it is, is returned as it is. Raises SecretUnreadable."""
        if not stored.startswith(MARK):
            return stored
        rest = stored[len(MARK) :]
        cipher = self._ciphers.get(rest[:NAME_BYTES])
        nonce, sealed = rest[NAME_BYTES : NAME_BYTES + NONCE_BYTES], rest[NAME_BYTES + NONCE_BYTES :]
        if cipher is None:
            raise SecretUnreadable("a secret is encrypted under another key than those of the key file")
        try:
            return cipher.decrypt(nonce, sealed, about.encode())
        except InvalidTag as problem:
            raise SecretUnreadable("a secret was changed or belongs to another row") from problem


def _digest(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, b"secret box: " + purpose, "sha256")
