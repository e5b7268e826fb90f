"""HTTP: users of the console, managed by admins; and everybody's own password."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Email, Name
from services.chassis.keys import ApiKey, is_user, key_of_session
from services.chassis.problems import Problem
from services.chassis.web import Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.rules_engine.application.manage_users import UserConflict, UserItem, Users
from services.rules_engine.application.sign_in import PasswordHashes, SignInRefused, TooManyAttempts
from services.rules_engine.domain.roles import SCOPES_OF_ROLE, Role
from services.rules_engine.domain.user import (
    NewUser,
    UserRefused,
    check_password,
    normalized_email,
    normalized_login,
    normalized_password,
)

ADMIN: Final = [require("admin")]
MISSING: Final[dict[int | str, dict[str, Any]]] = {404: {"description": "no such user"}}
Password = Annotated[str, Field(min_length=1, max_length=1_000, description="12 to 200 characters")]


class WantedUser(BaseModel):
    """A user to add. Without a password they sign in at the identity provider only."""

    model_config = ConfigDict(extra="forbid")

    login: str = Field(min_length=1, max_length=254, description="in any case; stored in lower case")
    name: Name | None = Field(default=None, description="as others read it; absent: the login")
    email: Email | None = Field(default=None, description="links the user to the CSM with this address")
    role: Role
    password: Password | None = None


class WantedRole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Role


class WantedPassword(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: Password


class OwnPassword(WantedPassword):
    current_password: str = Field(min_length=1, max_length=1_000)


CheckPassword = Callable[[str, str], Awaitable[str]]
"""The id of the user with this login and password. Raises SignInRefused and TooManyAttempts."""


def user_routes(users: Users, hashes: PasswordHashes, check: CheckPassword) -> APIRouter:
    router = APIRouter(prefix="/v1/users", tags=["people"])

    @router.get("", summary="Users, by login", dependencies=ADMIN)
    async def list_users(limit: Limit = 100, cursor: Cursor = None) -> dict[str, object]:
        (after,) = decode_cursor(cursor, str) or ("",)
        items = await users.page(after=after, limit=limit + 1)
        return page([_shown(item) for item in items], limit, lambda item: encode_cursor(item["login"]))

    @router.post(
        "",
        summary="Add a user",
        status_code=201,
        dependencies=ADMIN,
        responses={409: {"description": "the login or the address has another user"}},
    )
    async def add_user(wanted: WantedUser) -> dict[str, object]:
        try:
            new = _new_user(wanted)
            password = wanted.password
            stored = (
                None if password is None else await _hash(hashes, password, [new.login, new.email, new.name])
            )
            return _shown(await users.add(new, stored))
        except UserConflict as conflict:
            raise Problem(409, str(conflict)) from conflict
        except UserRefused as refused:
            raise Problem(422, str(refused)) from refused

    _add_own_password(router, users, hashes, check)  # first: `me` is no user
    _add_changes(router, users, hashes)
    return router


def _add_changes(router: APIRouter, users: Users, hashes: PasswordHashes) -> None:
    @router.put(
        "/{user}/role",
        summary="Give a user another role; their sessions end",
        dependencies=ADMIN,
        responses=MISSING,
    )
    async def set_role(user: str, wanted: WantedRole) -> dict[str, object]:
        return _shown(await users.set_role(user, wanted.role))

    @router.put(
        "/{user}/password",
        summary="Give a user another password; their sessions end",
        dependencies=ADMIN,
        responses=MISSING,
    )
    async def set_password(user: str, wanted: WantedPassword) -> dict[str, object]:
        found = await users.find(user)
        try:
            stored = await _hash(hashes, wanted.password, [found.login, found.email, found.name])
        except UserRefused as refused:
            raise Problem(422, str(refused)) from refused
        return _shown(await users.set_password(found.user_id, stored))

    @router.post(
        "/{user}/disable",
        summary="Disable a user: their sessions end, and they cannot sign in",
        dependencies=ADMIN,
        responses=MISSING,
    )
    async def disable_user(user: str) -> dict[str, object]:
        return _shown(await users.set_disabled(user, is_disabled=True))

    @router.post("/{user}/enable", summary="Enable a user again", dependencies=ADMIN, responses=MISSING)
    async def enable_user(user: str) -> dict[str, object]:
        return _shown(await users.set_disabled(user, is_disabled=False))

    @router.delete(
        "/{user}",
        summary="Erase a user: their sessions end, and nothing but the id in the audit log is left",
        status_code=204,
        dependencies=ADMIN,
        responses=MISSING,
    )
    async def erase_user(user: str) -> None:
        await users.delete(user)


def _add_own_password(router: APIRouter, users: Users, hashes: PasswordHashes, check: CheckPassword) -> None:
    @router.put("/me/password", summary="Change your own password; your other sessions end")
    async def change_password(wanted: OwnPassword, key: Annotated[ApiKey, require()]) -> dict[str, object]:
        user_id = key_of_session(key.key_id)
        if user_id is None or not is_user(user_id):
            raise Problem(403, "Only a user who has signed in has a password to change.")
        found = await users.find(user_id)
        try:
            if await check(found.login, wanted.current_password) != found.user_id:
                raise SignInRefused
            stored = await _hash(hashes, wanted.password, [found.login, found.email, found.name])
        except SignInRefused as refused:
            raise Problem(422, "current_password: it is not right.") from refused
        except TooManyAttempts as refused:
            raise Problem(429, str(refused), headers={"Retry-After": str(refused.retry_after)}) from refused
        except UserRefused as refused:
            raise Problem(422, str(refused)) from refused
        return _shown(await users.set_password(user_id, stored, kept_session=key.key_id))


def _new_user(wanted: WantedUser) -> NewUser:
    """Raises UserRefused."""
    login = normalized_login(wanted.login)
    email = normalized_email(wanted.email) if wanted.email is not None else None
    return NewUser(login, wanted.name or login, email, wanted.role)


async def _hash(hashes: PasswordHashes, typed: str, known: Sequence[str | None]) -> str:
    """Raises UserRefused."""
    password = normalized_password(typed)
    check_password(password, *known)
    return await hashes.hash(password)


def _shown(user: UserItem) -> dict[str, object]:
    fields = asdict(user)
    state = "disabled" if fields.pop("is_disabled") else "active"
    return {**fields, "state": state, "scopes": sorted(SCOPES_OF_ROLE[user.role])}
