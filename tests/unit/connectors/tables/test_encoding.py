"""The encoding of a file by its bytes, and its lines."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.tables import encoding as encodings
from services.connectors.tables.encoding import Encoding, find_encoding, read_lines
from services.connectors.tables.refusal import TableRefused

UTF_8 = Encoding("utf-8", "utf-8-sig")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"id,name\n", "utf-8"),
        ("id,Zürich\n".encode(), "utf-8"),
        ("\ufeffid,Zürich\n".encode(), "utf-8"),
        ("id\tZürich\n".encode("utf-16"), "utf-16"),
        ("id\tZürich, Bern\n".encode("utf-16-le"), "utf-16le"),
        ("id\tZürich, Bern\n".encode("utf-16-be"), "utf-16be"),
        ("id;Zürich €\n".encode("cp1252"), "windows-1252"),
    ],
)
def test_an_encoding_is_found_and_gives_the_text(content: bytes, name: str) -> None:
    found = find_encoding(BytesIO(content))
    text = "".join(read_lines(BytesIO(content), found))
    assert found.name == name
    assert text in {"id,name\n", "id,Zürich\n", "id\tZürich\n", "id\tZürich, Bern\n", "id;Zürich €\n"}


def test_a_guess_is_said_with_its_line() -> None:
    assert "line 2 is not UTF-8" in find_encoding(BytesIO(b"id\nZ\xfcrich\n")).note


def test_a_character_across_two_chunks_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "CHUNK_BYTES", 3)
    content = "aü\r\nb€\rc\n\nd".encode()
    found = find_encoding(BytesIO(content))
    assert (found.name, list(read_lines(BytesIO(content), found))) == (
        "utf-8", ["aü\r\n", "b€\r", "c\n", "\n", "d"],
    )  # fmt: skip


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa\n\xff\n", "é\n".encode() + b"\xe9\n", b"a\nb\x81\n"])
def test_what_is_in_no_encoding_is_refused_with_its_line(content: bytes) -> None:
    with pytest.raises(TableRefused) as refused:
        find_encoding(BytesIO(content))
    assert refused.value.line == 2


def test_an_encoding_may_be_named() -> None:
    assert find_encoding(BytesIO(b"\xe4"), "ISO-8859-1").decoder == "latin-1"
    with pytest.raises(TableRefused, match="'klingon' is not known; give one of utf-8"):
        find_encoding(BytesIO(b""), "klingon")
    with pytest.raises(TableRefused) as refused:
        list(read_lines(BytesIO(b"a\nb\xff\n"), find_encoding(BytesIO(b""), "utf-8")))
    assert refused.value.line == 2


def test_a_line_is_bounded_and_has_no_nul(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "LONGEST_LINE", 100)
    with pytest.raises(TableRefused, match="line 2: is longer than 100 characters"):
        list(read_lines(BytesIO(b"a\n" + b"x" * 200_000), UTF_8))
    with pytest.raises(TableRefused, match="line 1: contains the NUL character"):
        list(read_lines(BytesIO(b"a\0\n"), UTF_8))


@given(
    st.lists(st.text(st.characters(exclude_characters="\0\r\n", codec="utf-8")), max_size=20),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_lines_are_those_of_the_file(lines: list[str], end: str) -> None:
    content = "".join(line + end for line in lines).encode()
    if not content.startswith(b"\xef\xbb\xbf"):
        assert list(read_lines(BytesIO(content), UTF_8)) == [line + end for line in lines]
