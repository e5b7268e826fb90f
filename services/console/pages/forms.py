"""Reading the form of a request."""

from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

from services.chassis.problems import Problem

_MOST_FIELDS: Final = 1000
_LONGEST_NUMBER: Final = 15
"""Digits: more than any number of ours has, and fewer than where a browser's numbers become inexact."""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of an URL-encoded form; of a name that occurs twice the last. Raises a `Problem`, 422, for too many."""
    return dict(await read_pairs(request))


async def read_pairs(request: Request) -> list[tuple[str, str]]:
    """The fields in their order, with repeated names. Raises a `Problem`, 422, for too many."""
    body = (await request.body()).decode(errors="replace")
    try:
        return parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as problem:
        raise Problem(422, f"No form of the console has more than {_MOST_FIELDS} fields.") from problem


def read_number(text: str) -> int:
    """The number that a field of a form holds; 0 when it holds none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    return int(text) if is_number else 0
