"""Whether a list shows what is the reader's own or everything, with the links that switch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from services.console.auth import SCOPE_COOKIE
from services.console.reader import Backend, Reader

_PARAMETER: Final = "of"
_CHOICES: Final = (("mine", "Mine"), ("all", "Everybody's"))


@dataclass(frozen=True, slots=True)
class OwnScope:
    """`csm_id`: whose entries are shown, "" for everybody's. `links`: (text, address, is current)."""

    csm_id: str = ""
    links: Sequence[tuple[str, str, bool]] = ()


def own_scope(reader: Reader, request: Request) -> OwnScope:
    """Of a user who is a person of ours; everybody else sees everything."""
    if not reader.own_id:
        return OwnScope()
    wanted = request.query_params.get(_PARAMETER) or request.cookies.get(SCOPE_COOKIE, "")
    chosen = wanted if wanted in dict(_CHOICES) else "mine" if reader.opens_on_own() else "all"
    kept = {name: value for name, value in request.query_params.items() if name in ("q", "account", "state")}
    path = request.url.path
    links = [
        (text, f"{path}?{urlencode({**kept, _PARAMETER: value})}", value == chosen)
        for value, text in _CHOICES
    ]
    return OwnScope(reader.own_id if chosen == "mine" else "", links)


def remember_scope(backend: Backend, request: Request, response: Response) -> Response:
    """Keep what was chosen in the address for the pages that follow, until the browser is closed or somebody signs in."""
    chosen = request.query_params.get(_PARAMETER, "")
    if chosen in dict(_CHOICES):
        secure = backend.cookies.is_secure(request)
        response.set_cookie(SCOPE_COOKIE, chosen, httponly=True, samesite="strict", secure=secure)
    return response
