"""Stamps and stored values: order, round trips, and the text of an instant."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account.stamps import (
    Provenance,
    earliest,
    identity,
    micros,
    moment,
    plain,
    provenance_of,
    readable,
    stamp_of,
    when,
    who,
)

instants = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
texts = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
provenances = st.builds(
    Provenance, instants, texts, texts, st.text("0123456789abcdef", min_size=16, max_size=16)
)


@given(at=instants)
def test_an_instant_survives_as_microseconds(at: datetime) -> None:
    assert moment(micros(at)) == at


@given(provenance=provenances)
def test_a_stamp_has_the_parts_of_its_provenance(provenance: Provenance) -> None:
    stamp = stamp_of(provenance)

    assert provenance_of(stamp) == provenance
    assert when(stamp) == micros(provenance.time)
    assert who(stamp) == (provenance.source, provenance.id)
    assert earliest(when(stamp)) <= stamp < earliest(when(stamp) + 1)


@given(one=provenances, other=provenances)
def test_stamps_sort_as_their_provenances(one: Provenance, other: Provenance) -> None:
    assert (stamp_of(one) < stamp_of(other)) == (one < other)


@given(one=provenances, other=provenances)
def test_an_identity_is_found_in_stamps_of_the_same_event_only(one: Provenance, other: Provenance) -> None:
    same = (one.source, one.id) == (other.source, other.id)

    assert (identity(stamp_of(one)) in stamp_of(other)) == same
    assert identity(stamp_of(one)) in stamp_of(one._replace(time=other.time, hash="0" * 16))


@given(at=instants, day=st.dates(date(1970, 1, 1)))
def test_a_stored_instant_or_date_is_readable_under_its_name(at: datetime, day: date) -> None:
    assert readable("signed_at", plain(at)) == at
    assert readable("renews_on", plain(day)) == day
    assert readable("score", 5) == 5
