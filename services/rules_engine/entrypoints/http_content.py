"""HTTP: the content files in force: what customers and owners read."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query

from schemas.vocabulary import Reader
from services.cadence.content.names import ContentName
from services.cadence.policy.contents import ContentText
from services.chassis.web import Cursor, Limit, decode_cursor, encode_cursor, page, require

Language = Annotated[str | None, Query(max_length=40, description="as the folder is named: `en`, `pt-BR`")]
TypeName = Annotated[str | None, Query(max_length=64)]
ContentReader = Annotated[Reader | None, Query(description="who reads it")]


def content_routes(contents: Callable[[], Mapping[ContentName, ContentText]]) -> APIRouter:
    """`contents`: the files in force, in order of name."""
    router = APIRouter(prefix="/v1/content", tags=["policies"], dependencies=[require("read")])

    @router.get(
        "",
        summary="The content files in force: those of the policy, and the shipped ones for what it does not bring",
    )
    async def list_content(
        language: Language = None,
        touchpoint_type: TypeName = None,
        reader: ContentReader = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> dict[str, object]:
        (after,) = decode_cursor(cursor, str) or ("",)
        wanted = (
            _item(item)
            for item in sorted(contents().values(), key=lambda item: item.name.key)
            if item.name.key > after
            and language in (None, item.name.language)
            and touchpoint_type in (None, item.name.touchpoint_type)
            and reader in (None, item.name.reader)
        )
        return page(list(islice(wanted, limit + 1)), limit, lambda item: encode_cursor(item["key"]))

    return router


def _item(item: ContentText) -> dict[str, object]:
    return {
        "key": item.name.key,
        "file": item.name.path,
        "language": item.name.language,
        "touchpoint_type": item.name.touchpoint_type,
        "reader": item.name.reader,
        "origin": item.origin,
        "text": item.text,
    }
