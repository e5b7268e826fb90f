"""HTTP: figures of accounts, asked for when a message about them is written."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter

from schemas.figures import FiguresFound, FiguresWanted
from services.chassis.web import require


def figures_routes(answer: Callable[[FiguresWanted], Awaitable[FiguresFound]]) -> APIRouter:
    router = APIRouter(prefix="/v1/figures", tags=["accounts"], dependencies=[require("read")])

    @router.post("", summary="Figures of up to 100 accounts, for messages about them")
    async def post_figures(wanted: FiguresWanted) -> FiguresFound:
        """Usage of the last 30 days, the contract, the program, milestones, requests and the last conversation.

        In the order of the request. What is not known is null; of an account that does not exist only its id is there.
        """
        return await answer(wanted)

    return router
