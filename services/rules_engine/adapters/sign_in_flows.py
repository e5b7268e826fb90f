"""Sign-ins under way at a provider: sealed, so that only the browser which began one has it, and used once."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import orjson

from services.chassis.database import Database
from services.chassis.secret_box import MARK, SecretBox, SecretUnreadable
from services.rules_engine.application.sign_in_by_provider import Flow

LIFETIME: Final = timedelta(minutes=10)
ABOUT: Final = "sign-in at the provider"
LONGEST_SEALED: Final = 2_000
SPEND = """
INSERT INTO spent_sign_in (state_sha256, spent_at) VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING
RETURNING true
"""


class SignInFlows:
    """The port `Flows`. `keys`: the secrets of the deployment."""

    def __init__(self, database: Database, keys: Sequence[bytes]) -> None:
        self._database = database
        self._box = SecretBox(keys)

    def begin(self, now: datetime) -> tuple[Flow, str]:
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        flow = Flow(state, nonce, verifier, now + LIFETIME)
        content = orjson.dumps([flow.state, flow.nonce, flow.verifier, flow.expires_at])
        return flow, urlsafe_b64encode(self._box.seal(content, ABOUT)).decode()

    def open(self, sealed: str) -> Flow | None:
        try:
            stored = urlsafe_b64decode(sealed[:LONGEST_SEALED].encode())
            if not stored.startswith(MARK):  # the box returns what is not sealed as it is
                return None
            state, nonce, verifier, expires_at = orjson.loads(self._box.open(stored, ABOUT))
        except (ValueError, SecretUnreadable):
            return None
        return Flow(state, nonce, verifier, datetime.fromisoformat(expires_at))

    async def spend(self, state: str) -> bool:
        return bool(await self._database.pool.fetchval(SPEND, sha256(state.encode()).digest()))
