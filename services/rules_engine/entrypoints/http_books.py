"""HTTP: how many accounts people have, and what these bring in."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter

from services.chassis.web import JSON, require
from services.rules_engine.application.read_books import Books


def book_routes(read: Callable[[], Awaitable[Books]]) -> APIRouter:
    """GET /v1/books."""
    router = APIRouter(tags=["accounts"], dependencies=[require("read")])

    @router.get("/v1/books", summary="Accounts and yearly revenue of each CSM", response_model=Books)
    async def get_books() -> JSON:
        return JSON((await read()).model_dump())

    return router
