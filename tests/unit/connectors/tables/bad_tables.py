"""Tables that nothing is read of, each with the line that the refusal names (None: the file as a whole)."""

from typing import Final

HEAD: Final = b"account_id,name\nacme,Acme\n"
BAD_TABLES: Final[tuple[tuple[str, bytes, int | None], ...]] = (
    ("NUL", HEAD + b"a\0b,B\n", 3),
    ("invalid UTF-8 in a file of UTF-8", HEAD + "é,É\n".encode() + b"\xff\xfe,C\n", 4),
    ("a byte that no encoding has", HEAD + b"x\x81,C\n", 3),
    ("invalid UTF-8 after its byte order mark", b"\xef\xbb\xbf" + HEAD + b"\xe4,C\n", 3),
    ("10 MB of one line", b"x" * (10 << 20), 1),
    ("10 MB of one line after others", HEAD + b"x" * (10 << 20), 3),
    ("unbalanced quotation marks", HEAD + b'b,"B\n' + b"c,C\n" * 10, 3),
    ("unbalanced quotation marks before much more", HEAD + b'b,"B\n' + b"c,C\n" * 100_000, 3),
    ("text after a quotation mark", HEAD + b'b,"B" or not\n', 3),
    ("half of a UTF-16 character", b"\xff\xfe" + HEAD.decode().encode("utf-16-le") + b"x", 3),
    ("nothing but empty rows", b"\n\n,,\n", None),
    ("no id", b"name,arr\nAcme,12\n", None),
)
