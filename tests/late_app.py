"""An application of FastAPI that is made when it is first used: making its routes takes longer than most tests."""

from collections.abc import Callable
from functools import cached_property

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send


class LateApp:
    """Serves requests as the application that `make` returns."""

    def __init__(self, make: Callable[[], FastAPI]) -> None:
        self._make = make

    @cached_property
    def app(self) -> FastAPI:
        return self._make()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
