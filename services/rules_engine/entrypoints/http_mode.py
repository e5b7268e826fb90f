"""HTTP: the mode in force, and switching it while services run."""

from fastapi import APIRouter

from services.chassis.web import require
from services.rules_engine.application.switch_mode import Modes, WantedMode


def mode_routes(modes: Modes) -> APIRouter:
    router = APIRouter(prefix="/v1/mode", tags=["mode"])

    @router.get("", summary="The mode in force", dependencies=[require("read")])
    async def get_mode() -> dict[str, object]:
        return await modes.read()

    @router.put(
        "",
        summary="Switch the mode; every account is evaluated again",
        description=(
            "`hold` and `observe` keep everything from customers at once; what comes due meanwhile expires and is not"
            " sent after going `live`. The setting DRUMBEAT_MODE switches again only when its value changes."
        ),
        dependencies=[require("admin")],
    )
    async def switch_mode(wanted: WantedMode) -> dict[str, object]:
        return await modes.switch(wanted.mode)

    return router
