"""STOP and START: after STOP no topic goes by text message, after START those that did do again, and no other changes."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import PreferenceRecord
from services.notifier.domain.consent import find_opt_out, preferences_by_topic
from services.notifier.domain.sms_keywords import SmsKeyword
from services.notifier.domain.text_consent import TOPICS, preferences_after

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WISHES = st.lists(
    st.tuples(
        st.sampled_from((*TOPICS, None)),
        st.sampled_from(("email", "in_app", "sms", "slack", "suggested")),
        st.integers(-100, 100),
    ),
    max_size=12,
)


def wishes(drawn: list[tuple[str | None, str, int]]) -> list[PreferenceRecord]:
    return [
        PreferenceRecord.of_valid(
            contact_id="ann",
            topic=topic,
            channel=channel,
            time=NOW + timedelta(seconds=seconds),
            source="crm",
            id=str(number),
        )
        for number, (topic, channel, seconds) in enumerate(drawn)
    ]


def channels(records: list[PreferenceRecord]) -> dict[str, str | None]:
    return {topic: one.channel for topic, one in preferences_by_topic(records, TOPICS).items()}


@given(WISHES)
def test_after_stop_nothing_goes_by_text_message_and_everything_else_is_as_before(
    drawn: list[tuple[str | None, str, int]],
) -> None:
    before = wishes(drawn)
    after = [*before, *preferences_after(SmsKeyword.STOP, "ann", before, NOW, "SM1")]

    was, now = channels(before), channels(after)
    assert now == {topic: None if channel == "sms" else channel for topic, channel in was.items()}
    assert all(find_opt_out(after, topic, "sms") for topic in TOPICS)
    assert not any(find_opt_out(after, topic, "email") for topic in TOPICS)
    assert all(one.opted_in for one in preferences_by_topic(after, TOPICS).values())


@given(WISHES)
def test_start_restores_what_stop_took(drawn: list[tuple[str | None, str, int]]) -> None:
    before = wishes(drawn)
    stopped = [*before, *preferences_after(SmsKeyword.STOP, "ann", before, NOW, "SM1")]
    started = [*stopped, *preferences_after(SmsKeyword.START, "ann", stopped, NOW, "SM2")]

    was, now = channels(before), channels(started)
    assert {topic for topic in TOPICS if was[topic] == "sms"} <= {
        topic for topic in TOPICS if now[topic] == "sms"
    }
    assert all(now[topic] == was[topic] for topic in TOPICS if was[topic] is not None)
    assert not any(find_opt_out(started, topic, "sms") for topic in TOPICS)


def test_the_same_message_has_the_same_ids() -> None:
    records = [
        preferences_after(SmsKeyword.STOP, "ann", wishes([(None, "sms", 0)]), NOW, "SM1") for _ in range(2)
    ]

    assert [one.id for one in records[0]] == [one.id for one in records[1]]
    assert len({one.id for one in records[0]}) == len(records[0]) == 1 + len(TOPICS)
