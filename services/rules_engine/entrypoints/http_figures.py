"""HTTP: figures of accounts, asked for when a message about them is written."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from schemas.figures import FiguresFound, FiguresWanted
from schemas.problems import Malformed
from services.chassis.web import require


def _read(body: object) -> FiguresWanted:
    """The schemas are strict: dates and lists are read from JSON, not from what a framework made of it."""
    try:
        return FiguresWanted.read(json.dumps(body).encode())
    except Malformed as problem:
        text = str(problem).replace("data.", "")
        raise PydanticCustomError("unreadable", "{problem}", {"problem": text}) from problem


_Wanted = Annotated[FiguresWanted, BeforeValidator(_read)]


def figures_routes(answer: Callable[[FiguresWanted], Awaitable[FiguresFound]]) -> APIRouter:
    router = APIRouter(prefix="/v1/figures", tags=["accounts"], dependencies=[require("read")])

    @router.post("", summary="Figures of up to 100 accounts, for messages about them")
    async def post_figures(wanted: _Wanted) -> FiguresFound:
        """Usage of the last 30 days, the contract, the program, milestones, requests and the last conversation.

        In the order of the request. What is not known is null; of an account that does not exist only its id is there.
        """
        return await answer(wanted)

    return router
