"""Ids derived from their causes."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import derived_id, digest

PARTS = st.lists(st.text(), max_size=4)


def test_an_id_never_changes() -> None:
    assert derived_id("touchpoint", "acme", "check_in", "1") == "bebf2ae2-ac28-cb2d-3202-22bd090f1408"


@given(PARTS)
def test_an_id_is_the_digest_as_a_uuid(parts: list[str]) -> None:
    assert derived_id(*parts) == str(UUID(bytes=digest(*parts)))


@given(PARTS, PARTS)
def test_other_parts_have_another_digest(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)
