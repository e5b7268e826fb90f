"""HTTP: sessions: a key is exchanged for a token of some hours, listed and ended by whoever has the key."""

from typing import Annotated, Protocol

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Text
from services.chassis.clock import real_now
from services.chassis.keys import ApiKey, key_of_session
from services.chassis.problems import Problem
from services.chassis.web import Cursor, Limit, decode_cursor, encode_cursor, page, require

Holder = Annotated[ApiKey, require()]


class NewSession(BaseModel):
    """A session to begin with the key of this call."""

    model_config = ConfigDict(extra="forbid")

    client: Text = Field(default="", max_length=300, description="what signs in, to recognise it in a list")


class Sessions(Protocol):
    """Sessions of the console: `{session_id, key_id, key_name, client, began_at, expires_at, user}`.

    `user`: `{user_id, login, name, email, role}`, whose id and name `key_id` and `key_name` have too; null for a key.
    """

    async def begin(self, key: ApiKey, client: str) -> dict[str, object]:
        """`{token, session_id, key_id, scopes, expires_at}`; the token is not stored and not shown again."""
        ...

    async def find(self, session_id: str) -> dict[str, object] | None:
        """A session that has not ended."""
        ...

    async def all(self, key_id: str | None, *, after: str, limit: int) -> list[dict[str, object]]:
        """Those of one key (None: of all keys) that have not ended, in order of id."""
        ...

    async def end(self, session_id: str, key_id: str | None) -> None:
        """End a session of this key (None: of any). Raises `NotFound`."""
        ...


def session_routes(sessions: Sessions, *, with_key: bool) -> APIRouter:
    router = APIRouter(prefix="/v1/sessions", tags=["keys"])

    @router.post(
        "",
        summary="Begin a session; its token is shown once",
        description=(
            "The token has the scopes of the key and is sent like a key. It ends after the hours of"
            " DRUMBEAT_SESSIONS__HOURS, with its key, or when it is ended. Other services know it within seconds."
        ),
        status_code=201,
    )
    async def begin_session(wanted: NewSession, key: Holder) -> dict[str, object]:
        if key_of_session(key.key_id) is not None:
            raise Problem(403, "A session cannot begin another one. Sign in with an API key.")
        if not with_key:
            raise Problem(
                403, "API keys do not sign in here (DRUMBEAT_SESSIONS__WITH_KEY is off): sign in as a user."
            )
        return await sessions.begin(key, wanted.client)

    @router.get("", summary="Sessions of your key; with the scope admin, of all keys")
    async def list_sessions(key: Holder, limit: Limit = 100, cursor: Cursor = None) -> dict[str, object]:
        (after,) = decode_cursor(cursor, str) or ("",)
        items = await sessions.all(_reach(key), after=after, limit=limit + 1)
        return page(items, limit, lambda item: encode_cursor(item["session_id"]))

    @router.get(
        "/current",
        summary="The session of this call, with its scopes",
        responses={404: {"description": "the call was made with a key"}},
    )
    async def get_current_session(key: Holder) -> dict[str, object]:
        found = await sessions.find(key.key_id)
        if found is None:
            raise Problem(404, "This call was made with a key, not with the token of a session.")
        return {**found, "scopes": sorted(key.grants())}

    @router.delete("/{session_id}", summary="End a session")
    async def end_session(session_id: str, key: Holder) -> dict[str, object]:
        await sessions.end(session_id, _reach(key))
        return {"session_id": session_id, "status": "ended"}

    return router


def _reach(key: ApiKey) -> str | None:
    """Whose sessions this key lists and ends: those of its own key, or everybody's."""
    return None if key.allows("admin", real_now()) else key_of_session(key.key_id) or key.key_id
