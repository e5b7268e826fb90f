"""Blanks around any text change nothing of what is read, wherever they are and however they are written."""

import json

from hypothesis import given
from hypothesis import strategies as st

from schemas.base import SchemaModel
from schemas.events import read_data

BLANKS = st.text(st.sampled_from(" \t\n\r\u0085\u00a0\u1680\u2003\u2028\u3000\u200b\ufeff"), max_size=3)
WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=12)
FIELDS = {
    "account.described": ("name", "industry", "pool", "csm_id", "parent_id"),
    "interaction.logged": ("notes", "touchpoint_type", "contact_id"),
    "expansion.signalled": ("detail",),
}
NEEDED = {"expansion.signalled": {"signal": "other"}}


def parse_data(event_type: str, data: bytes) -> SchemaModel:
    return read_data(event_type, data).message


@given(
    data=st.data(),
    kind=st.sampled_from(sorted(FIELDS)),
    escaped=st.booleans(),
    separators=st.sampled_from([None, (",", ":"), (" , ", " : ")]),
)
def test_texts_are_read_without_the_blanks_around_them(
    *, data: st.DataObject, kind: str, escaped: bool, separators: tuple[str, str] | None
) -> None:
    event_type = f"drumbeat.{kind}.v1"
    plain = {name: data.draw(WORDS) for name in FIELDS[kind]} | NEEDED.get(kind, {})
    padded = {name: data.draw(BLANKS) + text + data.draw(BLANKS) for name, text in plain.items()}

    read = read_data(event_type, json.dumps(padded, ensure_ascii=escaped, separators=separators).encode())

    assert read.message == parse_data(event_type, json.dumps(plain).encode())
    assert len(read.cleanings) == sum(padded[name] != text for name, text in plain.items())
