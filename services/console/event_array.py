"""The events of a JSON array, one after the other, without the whole array in memory."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from services.console.not_events import LARGEST_EVENT_BYTES, NotEvents, too_long

_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_ENDS: Final = '}]"'
"""Last characters of values that end with them; a number may go on."""
_LONGEST_TOKEN: Final = 20
"""Characters before the end of a block where a mistake may be a token that goes on in the next one."""


def events_of_array(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Each element as JSON on one line. Raises NotEvents at the first place that is no array of JSON values."""
    text = _Text(blocks)
    text.expect("[", 0)
    position = 0
    while text.next_character() != "]":
        if position:
            text.expect(",", position)
        position += 1
        yield text.take_value(position)
    text.expect("]", position)
    if text.next_character():
        raise NotEvents("has something after the end of its array. Give one array, or one event on each line")


class _Text:
    """The part of the text that is being read."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0

    def next_character(self) -> str:
        """The next character that is no blank, which stays; empty at the end."""
        while True:
            if blanks := _BLANKS.match(self._text, self._at):
                self._at = blanks.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_more():
                return ""

    def expect(self, character: str, position: int) -> None:
        if self.next_character() != character:
            where = f"after event {position}" if position else "at its beginning"
            raise NotEvents(f"is a broken array: {where} a {character!r} is missing. Write it again")
        self._at += 1

    def take_value(self, position: int) -> bytes:
        """The value that begins here; `position`: which of the array it is, from 1."""
        self.next_character()
        while (end := self._end_of_value(position)) is None:
            if len(self._text) - self._at > LARGEST_EVENT_BYTES:
                raise too_long(position)
            if not self._read_more():
                raise NotEvents(f"is a broken array: it ends within event {position}. Write or copy it again")
        # Line ends stand between the tokens only: a string with one is not JSON.
        value = self._text[self._at : end].replace("\n", " ").replace("\r", " ").encode()
        self._at = end
        if len(value) > LARGEST_EVENT_BYTES:
            raise too_long(position)
        return value

    def _end_of_value(self, position: int) -> int | None:
        """None while it goes on in the next block. Raises NotEvents for what is no JSON."""
        try:
            _, end = self._json.raw_decode(self._text, self._at)
        except json.JSONDecodeError as broken:
            is_cut = broken.msg.startswith("Unterminated") or broken.pos > len(self._text) - _LONGEST_TOKEN
            if is_cut:
                return None
            raise NotEvents(f"is a broken array: event {position} is not JSON: {broken.msg}") from broken
        except (ValueError, RecursionError) as broken:
            raise NotEvents(f"is a broken array: event {position} cannot be read: {broken}") from broken
        return end if end < len(self._text) or self._text[end - 1] in _ENDS else None

    def _read_more(self) -> bool:
        block = next(self._blocks, None)
        try:
            more = self._decoder.decode(block or b"", final=block is None)
        except UnicodeDecodeError as broken:
            raise NotEvents(f"is not UTF-8: {broken}") from broken
        self._text, self._at = self._text[self._at :] + more, 0
        return block is not None
