"""The character encoding of a file, from its byte order mark and its bytes, and the file as lines of text.

Sources: RFC 3629 (UTF-8), RFC 2781 (UTF-16, its byte order mark), the WHATWG Encoding Standard (windows-1252). Excel
writes "Unicode text" as UTF-16 with a byte order mark and "CSV" in the encoding of the system.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, IncrementalDecoder, getincrementaldecoder
from collections.abc import Iterator, Mapping
from typing import IO, Final, NamedTuple

from services.connectors.tables.refusal import TableRefused

CHUNK_BYTES: Final = 64 << 10
LONGEST_LINE: Final = 512 << 10
"""Characters of one line of a file."""
ENCODINGS: Final[Mapping[str, str]] = {
    "utf-8": "utf-8-sig", "utf8": "utf-8-sig", "us-ascii": "utf-8-sig", "ascii": "utf-8-sig", "utf-16": "utf-16",
    "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "windows-1252": "cp1252", "cp1252": "cp1252",
    "iso-8859-1": "latin-1", "latin-1": "latin-1", "latin1": "latin-1", "iso-8859-15": "iso8859-15",
    "windows-1250": "cp1250", "windows-1251": "cp1251", "windows-1254": "cp1254", "macintosh": "mac-roman",
}  # fmt: skip
"""Name of an encoding that a caller may give, in lower case -> its decoder."""
_INVALID: Final = re.compile("[\udc80-\udcff]")
_MULTIBYTE: Final = re.compile("[^\x00-\x7f\udc80-\udcff]")
_UNDEFINED: Final = frozenset("\udc81\udc8d\udc8f\udc90\udc9d")
"""Bytes that no character of windows-1252 has, as they are when UTF-8 could not decode them."""
_LINE_END: Final = re.compile(r"\r\n|\n|\r(?=.)", re.DOTALL)


class Encoding(NamedTuple):
    """`decoder`: the name for Python; `note`: why it was chosen, where it was guessed."""

    name: str
    decoder: str
    note: str = ""


class _Scan(NamedTuple):
    """`multibyte`: a character of several bytes was valid; `invalid_line`: the first line that is not UTF-8."""

    multibyte: bool
    invalid_line: int | None
    undefined: bool


def find_encoding(file: IO[bytes], named: str | None = None) -> Encoding:
    """The encoding of a file that can be read again. `named`: by the sender. Raises TableRefused."""
    if named is not None and named.strip():
        decoder = ENCODINGS.get(named.strip().lower())
        if decoder is None:
            raise TableRefused(
                f"the encoding {named[:40]!r} is not known; give one of {', '.join(ENCODINGS)}"
            )
        return Encoding(named.strip().lower(), decoder)
    head = _head(file)
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return Encoding("utf-16", "utf-16", "read as UTF-16, by its byte order mark")
    if b"\0" in head and (found := _utf16_without_mark(head)) is not None:
        return Encoding(found, ENCODINGS[found], f"read as {found.upper()}: every second byte is zero")
    scan = _scan(file)
    if scan.invalid_line is None:
        return Encoding("utf-8", "utf-8-sig")
    if head.startswith(BOM_UTF8) or scan.multibyte or scan.undefined:
        raise TableRefused(
            "is not UTF-8 although the rest of the file is; save the file as CSV UTF-8, or name its encoding",
            line=scan.invalid_line,
        )
    note = f"read as windows-1252: line {scan.invalid_line} is not UTF-8"
    return Encoding("windows-1252", "cp1252", note)


def read_lines(file: IO[bytes], encoding: Encoding) -> Iterator[str]:
    """The lines with their ends (CR LF, LF or CR). Raises TableRefused for what is not text, and for a line too long."""
    decoder, rest, number = getincrementaldecoder(encoding.decoder)(), "", 0
    for chunk in _chunks(file):
        rest += _decode(decoder, chunk, number)
        start = 0
        for end in _LINE_END.finditer(rest):
            number += 1
            yield _checked(rest[start : end.end()], number)
            start = end.end()
        rest = rest[start:]
        if len(rest) > LONGEST_LINE:
            _checked(rest, number + 1)
    rest += _decode(decoder, b"", number, is_last=True)
    if rest:
        yield _checked(rest, number + 1)


def _decode(decoder: IncrementalDecoder, chunk: bytes, number: int, *, is_last: bool = False) -> str:
    try:
        return decoder.decode(chunk, is_last)
    except UnicodeError as problem:
        wrong = f"is not in the encoding of the file ({problem}); save it as CSV UTF-8, or name its encoding"
        raise TableRefused(
            wrong, line=number + 1 + chunk[: getattr(problem, "start", 0)].count(b"\n")
        ) from None


def _checked(line: str, number: int) -> str:
    if len(line) > LONGEST_LINE:
        raise TableRefused(
            f"is longer than {LONGEST_LINE:,} characters; is this a table with one row on each line?",
            line=number,
        )
    if "\0" in line:
        raise TableRefused("contains the NUL character; save the file as CSV UTF-8", line=number)
    return line


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(1024)


def _utf16_without_mark(head: bytes) -> str | None:
    """Of a text in Latin letters every second byte is zero."""
    half = max(1, len(head) // 2)
    if head[1::2].count(0) > half * 0.6 and not head[::2].count(0):
        return "utf-16le"
    if head[::2].count(0) > half * 0.6 and not head[1::2].count(0):
        return "utf-16be"
    return None


def _scan(file: IO[bytes]) -> _Scan:
    decoder = getincrementaldecoder("utf-8")("surrogateescape")
    multibyte = undefined = False
    invalid_line: int | None = None
    line = 1
    for chunk in (*_chunks(file), b""):
        text = decoder.decode(chunk, not chunk)
        if not text.isascii():
            wrong = _INVALID.search(text)
            if wrong is not None and invalid_line is None:
                invalid_line = line + text.count("\n", 0, wrong.start())
            multibyte = multibyte or _MULTIBYTE.search(text.removeprefix("\ufeff")) is not None
            undefined = undefined or not _UNDEFINED.isdisjoint(text)
        line += text.count("\n")
    return _Scan(multibyte, invalid_line, undefined)
