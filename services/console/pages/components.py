"""The building blocks of the pages, shown on a page of their own."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.console.notices import Notice
from services.console.pages.rendering import reader_of, render_page
from services.console.people import Contact
from services.console.reader import Backend


def component_routes(backend: Backend) -> APIRouter:
    """`/components`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/components")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        context = {
            "tones": ("quiet", "waiting", "due", "good", "bad"),
            "contact": Contact("c", "Ada Lindqvist", "decision_maker", "+46 8 123 456", "ada@example.com"),
            "example_notices": (
                Notice("Done.", "", ("0", "1")),
                Notice("", "The scheduler does not answer."),
            ),
        }
        return await render_page(request, reader, "components-page.html", context)

    return router
