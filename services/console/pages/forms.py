"""Reading the form of a request."""

from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

_MOST_FIELDS: Final = 1000


async def read_form(request: Request) -> dict[str, str]:
    """The fields of an URL-encoded form; of a name that occurs twice the last."""
    return dict(await read_pairs(request))


async def read_pairs(request: Request) -> list[tuple[str, str]]:
    """The fields in their order, with repeated names."""
    body = (await request.body()).decode(errors="replace")
    return parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
