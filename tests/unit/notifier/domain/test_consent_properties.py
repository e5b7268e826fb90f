"""Consent: order and repetition of preferences do not matter, and an older one never lifts an opt-out."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import PreferenceRecord
from schemas.facts import PreferenceChanged
from services.notifier.domain.consent import (
    TopicPreference,
    find_opt_out,
    latest,
    precedence,
    preferences_by_topic,
    record_preference,
)

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
TOPICS = ("education", "promotion")
CHANNELS = ("email", "in_app", "sms")

records = st.builds(
    PreferenceRecord,
    contact_id=st.just("ann"),
    topic=st.none() | st.sampled_from(TOPICS),
    channel=st.none() | st.sampled_from(CHANNELS),
    opted_in=st.none() | st.booleans(),
    frequency=st.none() | st.just("monthly"),
    time=st.integers(-5, 5).map(lambda hours: NOW + timedelta(hours=hours)),
    by_contact=st.sampled_from((None, False, True)),
    source=st.sampled_from(("crm", "page")),
    id=st.integers(0, 50).map(str),
)
# Two contents under one identity are decided upstream; here identities are unique.
histories = st.lists(records, max_size=12, unique_by=precedence)


def change(topic: str | None, *, opted_in: bool, **more: str) -> PreferenceChanged:
    return PreferenceChanged(contact_id="ann", topic=topic, opted_in=opted_in, **more)  # pyright: ignore[reportArgumentType]


def consent(preferences: list[PreferenceRecord]) -> dict[tuple[str, str], bool]:
    return {
        (topic, channel): find_opt_out(preferences, topic, channel) is None
        for topic in TOPICS
        for channel in CHANNELS
    }


@given(preferences=histories, data=st.data())
def test_any_order_and_repetition_ends_in_the_same_consent(
    preferences: list[PreferenceRecord], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(preferences + preferences))

    assert consent(shuffled) == consent(preferences)
    assert preferences_by_topic(shuffled, TOPICS) == preferences_by_topic(preferences, TOPICS)


@given(preferences=histories, data=st.data())
def test_storing_one_at_a_time_is_storing_all(
    preferences: list[PreferenceRecord], data: st.DataObject
) -> None:
    stored: list[PreferenceRecord] = []
    for preference in data.draw(st.permutations(preferences)):
        stored = list(latest([*stored, preference]).values())

    assert consent(stored) == consent(preferences)
    assert preferences_by_topic(stored, TOPICS) == preferences_by_topic(preferences, TOPICS)


@given(preferences=histories, topic=st.none() | st.sampled_from(TOPICS), data=st.data())
def test_an_opt_out_always_wins_over_everything_older(
    preferences: list[PreferenceRecord], topic: str | None, data: st.DataObject
) -> None:
    opt_out = change(topic, opted_in=False, channel="email")
    record = record_preference(opt_out, after=preferences, now=NOW, preference_id="out")

    allowed = consent(data.draw(st.permutations([*preferences, record])))

    topics = TOPICS if topic is None else (topic,)
    assert not any(allowed[name, channel] for name in topics for channel in CHANNELS)


@given(preferences=histories, extra=records)
def test_only_an_explicit_opt_in_lifts_an_opt_out(
    preferences: list[PreferenceRecord], extra: PreferenceRecord
) -> None:
    if extra.opted_in is True:
        return

    before, after = consent(preferences), consent([*preferences, extra])

    if extra.opted_in is None:
        assert after == before
    else:
        newer = [preference for preference in preferences if precedence(preference) >= precedence(extra)]
        if not newer:
            assert all(before[key] or not after[key] for key in before)


def test_a_wider_opt_in_does_not_lift_a_narrower_opt_out() -> None:
    narrow = record_preference(change("promotion", opted_in=False), after=[], now=NOW, preference_id="1")
    wide = record_preference(change(None, opted_in=True), after=[narrow], now=NOW, preference_id="2")

    assert find_opt_out([narrow, wide], "promotion", "email") == narrow
    assert find_opt_out([narrow, wide], "education", "email") is None


def test_an_opt_in_to_one_topic_after_an_opt_out_of_all_allows_that_topic() -> None:
    opt_out = record_preference(change(None, opted_in=False), after=[], now=NOW, preference_id="1")
    opt_in = record_preference(
        change("education", opted_in=True), after=[opt_out], now=NOW, preference_id="2"
    )

    assert find_opt_out([opt_out, opt_in], "education", "email") is None
    assert find_opt_out([opt_out, opt_in], "promotion", "email") == opt_out


def test_a_recorded_preference_is_what_holds_for_the_topic() -> None:
    weekly = change("education", opted_in=True, channel="in_app", frequency="weekly")
    record = record_preference(weekly, after=[], now=NOW, preference_id="1")

    by_topic = preferences_by_topic([record], TOPICS)

    assert by_topic["education"] == TopicPreference(opted_in=True, channel="in_app", frequency="weekly")
    assert by_topic["promotion"].opted_in


def recorded(contact_id: str, *, opted_in: bool, own: bool, hour: int) -> PreferenceRecord:
    time = NOW + timedelta(hours=hour)
    return PreferenceRecord(
        contact_id=contact_id, opted_in=opted_in, by_contact=own, time=time, source="s", id=str(hour)
    )


@given(preferences=histories)
def test_what_others_report_never_lifts_an_opt_out_by_the_contact(
    preferences: list[PreferenceRecord],
) -> None:
    """Row 41."""
    opt_out = recorded("ann", opted_in=False, own=True, hour=0)
    reported = [preference for preference in preferences if not preference.by_contact]

    assert not any(consent([opt_out, *reported]).values())


def test_the_contact_lifts_what_the_contact_refused_and_what_others_reported() -> None:
    """Row 41."""
    opt_in = recorded("ann", opted_in=True, own=True, hour=2)

    for own in (True, False):
        assert all(consent([recorded("ann", opted_in=False, own=own, hour=1), opt_in]).values())


def test_of_contacts_with_one_address_only_the_person_lifts_a_refusal_of_another_record() -> None:
    """Row 8."""
    refusal = recorded("crm-77", opted_in=False, own=False, hour=1)

    assert not any(consent([refusal, recorded("app-9", opted_in=True, own=False, hour=2)]).values())
    assert all(consent([refusal, recorded("app-9", opted_in=True, own=True, hour=2)]).values())
    assert all(consent([refusal, recorded("crm-77", opted_in=True, own=False, hour=2)]).values())


def test_a_wish_that_ended_is_none_and_changes_no_consent() -> None:
    """S180: `suggested` is a wish as any other, until a newer one."""

    def wish(hour: int, **more: object) -> PreferenceRecord:
        return PreferenceRecord.model_validate(
            {
                "contact_id": "ann",
                "topic": "education",
                "time": NOW + timedelta(hours=hour),
                "source": "page",
                "id": str(hour),
                **more,
            }
        )

    monthly = wish(0, channel="in_app", frequency="monthly")
    ended = wish(1, channel="suggested", frequency="suggested")
    refused = wish(2, opted_in=False)

    assert preferences_by_topic([monthly, ended], ["education"])["education"] == TopicPreference(
        opted_in=True, channel=None, frequency=None
    )
    assert preferences_by_topic([refused, monthly, ended], ["education"])["education"] == TopicPreference(
        opted_in=False, channel=None, frequency=None
    )
    later = wish(3, frequency="weekly")
    assert preferences_by_topic([monthly, ended, later], ["education"])["education"].frequency == "weekly"
