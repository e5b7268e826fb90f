"""API keys: what a caller may do. Only SHA-256 digests are stored; secrets of 256 bits need no slow hash."""

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, get_args

from services.chassis.settings import CannotStart

Scope = Literal["signals", "directory", "consent", "act", "read", "policy", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
FORMER: Final[Mapping[str, tuple[Scope, ...]]] = {"events": ("signals", "directory", "consent")}
"""Former name of a scope -> what it means; keys that have it stay valid."""
INCLUDED: Final[Mapping[str, tuple[Scope, ...]]] = {"admin": SCOPES, **FORMER}
"""What a scope includes besides itself."""


USER_ID: Final = re.compile(r"u[0-9a-f]{8}")
FIRST_VERSION: Final = 2**62
"""Of the first key: no record replaces it."""


class KeyFileUnreadable(CannotStart):
    """The file with the first key cannot be read; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. The scope `admin` includes every other one; see `INCLUDED`."""

    key_id: str
    sha256: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    revoked: bool = False
    version: int = 0

    @property
    def kind(self) -> Literal["key", "session"]:
        return "key" if key_of_session(self.key_id) is None else "session"

    def is_live(self, now: datetime) -> bool:
        return not self.revoked and (self.expires_at is None or now < self.expires_at)

    def refusal(self, now: datetime) -> str:
        """Why a key whose secret is right is not valid; "" while it is."""
        if self.revoked:
            return f"The {self.kind} {self.key_id} was {'revoked' if self.kind == 'key' else 'ended'}."
        if self.is_live(now) or self.expires_at is None:
            return ""
        advice = "Ask for a new one" if self.kind == "key" else "Sign in again"
        return f"The {self.kind} {self.key_id} expired at {self.expires_at:%Y-%m-%d %H:%M} UTC. {advice}."

    def allows(self, scope: Scope, now: datetime) -> bool:
        return self.is_live(now) and scope in self.grants()

    def grants(self) -> frozenset[str]:
        """Its scopes with those that they include."""
        return self.scopes.union(*(INCLUDED.get(scope, ()) for scope in self.scopes))


def new_secret() -> tuple[str, str]:
    """(key id, whole key `db_<id>_<secret>`). The id appears in logs and answers; the secret is never stored."""
    key_id = secrets.token_hex(4)
    return key_id, f"db_{key_id}_{secrets.token_urlsafe(32)}"


def new_session(key_id: str) -> tuple[str, str]:
    """(session id, token `db_<session id>_<secret>`). The id begins with that of the key that signed in."""
    session_id = f"{key_id}~{secrets.token_hex(8)}"
    return session_id, f"db_{session_id}_{secrets.token_urlsafe(32)}"


def key_of_session(key_id: str) -> str | None:
    """The id of the key that signed in; None for the id of a key."""
    parent, separator, _ = key_id.rpartition("~")
    return parent if separator else None


def is_user(holder_id: str) -> bool:
    """Whether this is the id of a user: those of keys are hexadecimal."""
    return USER_ID.fullmatch(holder_id) is not None


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def key_id_of(key: str) -> str:
    parts = key.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "db" else ""


@dataclass(slots=True)
class KeyRing:
    """The keys this service accepts: the first one from its file, the others from the topic `directory.keys`.

    `secrets`: under the first the records of that topic are signed, and each is accepted: the secrets key file.
    """

    keys: dict[str, ApiKey] = field(default_factory=dict[str, ApiKey])
    used: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """When keys and users were last active here (real time), until `services.chassis.key_usage` reports it."""
    secrets: tuple[bytes, ...] = field(default=(b"",), repr=False)

    def learn(self, key: ApiKey) -> None:
        stored = self.keys.get(key.key_id)
        if stored is None or key.version >= stored.version:
            self.keys[key.key_id] = key

    def find(self, presented: str) -> ApiKey | None:
        """The key with this secret, compared in constant time; None for an unknown one."""
        key = self.keys.get(key_id_of(presented))
        if key is None or not hmac.compare_digest(key.sha256, digest(presented)):
            return None
        return key

    def note_use(self, key: ApiKey, now: datetime) -> None:
        """A session counts for its key or user; the first key is in a file, and nowhere listed."""
        if key.version < FIRST_VERSION:
            self.used[key_of_session(key.key_id) or key.key_id] = now

    def still_allows(self, key_id: str, scope: Scope, now: datetime) -> bool:
        """Whether a key that was accepted before may still do this: it may be revoked or expire meanwhile."""
        key = self.keys.get(key_id)
        return key is not None and key.allows(scope, now)


def read_or_create_secret(path: Path, *, must_exist: bool = False) -> bytes:
    """The secret of this file, 32 random bytes in hex, created with mode 0600. Raises `KeyFileUnreadable`."""
    return read_or_create_secrets(path, must_exist=must_exist)[0]


def read_or_create_secrets(path: Path, *, must_exist: bool = False) -> tuple[bytes, ...]:
    """The same of a file with one secret a line: the first is in use, the others are accepted for reading."""
    try:
        if not must_exist and not path.exists():
            _create_secret(path)
        found = [bytes.fromhex(line) for line in path.read_text(encoding="ascii").split()]
    except OSError as problem:
        raise KeyFileUnreadable(
            f"The key file {path} cannot be read ({problem.strerror}). Put back the file that this deployment"
            " began with."
        ) from problem
    except ValueError as problem:
        raise KeyFileUnreadable(f"{path} is not a key: it has to be hexadecimal digits.") from problem
    if not found or any(len(secret) < 32 for secret in found):
        raise KeyFileUnreadable(f"{path} is not a key: it has to be 64 hexadecimal digits or more.")
    return tuple(found)


def _create_secret(path: Path) -> None:
    """Replicas that start at once create one file: a link never replaces another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secrets.token_hex(32)}\n")
    with suppress(FileExistsError):
        os.link(new, path)
    new.unlink()


def first_key(path: Path) -> ApiKey:
    """The full-scope key that `drumbeat run` wrote to this file. Raises `KeyFileUnreadable`."""
    try:
        key = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as problem:
        raise KeyFileUnreadable(
            f"The API key file {path} cannot be read ({problem.strerror}). Start `drumbeat run`"
            " once, which creates it, or set DRUMBEAT_API_KEY_FILE to a file with a key."
        ) from problem
    key_id = key_id_of(key)
    if not key_id:
        raise KeyFileUnreadable(f"{path} does not contain a key of the form db_<id>_<secret>.")
    return ApiKey(key_id, digest(key), frozenset({"admin"}), version=FIRST_VERSION)
