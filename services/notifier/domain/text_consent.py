"""What STOP and START change for one contact: consent to text messages, and the wishes for them.

After STOP nothing goes by text message, and the topics that did go as the policy suggests. After START those topics do
again, and the others stay as they are.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, get_args

from schemas.directory import PreferenceRecord
from schemas.ids import derived_id
from schemas.vocabulary import Topic
from services.notifier.domain.consent import SOURCE, SUGGESTED, newer_than, preferences_by_topic
from services.notifier.domain.contact_channel import SMS
from services.notifier.domain.sms_keywords import SmsKeyword

TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)


def preferences_after(
    keyword: SmsKeyword, contact_id: str, before: Sequence[PreferenceRecord], now: datetime, message_id: str
) -> list[PreferenceRecord]:
    """The preferences to record, newer than all those `before`. The same message has the same ids."""
    at = newer_than(before, now)
    consent = PreferenceRecord.of_valid(
        contact_id=contact_id,
        channel=SMS,
        opted_in=keyword is SmsKeyword.START,
        by_contact=True,
        time=at,
        source=SOURCE,
        id=derived_id("sms consent", message_id, contact_id),
    )
    channels = _channels_after_stop(before) if keyword is SmsKeyword.STOP else _channels_after_start(before)
    return [
        consent,
        *(
            PreferenceRecord.of_valid(
                contact_id=contact_id,
                topic=topic,
                channel=channel,
                by_contact=True,
                time=at + timedelta(microseconds=1),
                source=SOURCE,
                id=derived_id("sms channel", message_id, contact_id, topic),
            )
            for topic, channel in channels
        ),
    ]


def _channels_after_stop(before: Sequence[PreferenceRecord]) -> list[tuple[Topic, str]]:
    by_topic = preferences_by_topic(before, TOPICS)
    return [(topic, SUGGESTED) for topic in TOPICS if by_topic[topic].channel == SMS]


def _channels_after_start(before: Sequence[PreferenceRecord]) -> list[tuple[Topic, str]]:
    """An opt-in to a channel counts as a wish for it, so that the wishes for other topics are stated again."""
    now = preferences_by_topic(before, TOPICS)
    ever = preferences_by_topic([one for one in before if one.channel != SUGGESTED], TOPICS)
    was_sms = {topic for topic in TOPICS if now[topic].channel is None and ever[topic].channel == SMS}
    return [(topic, SMS if topic in was_sms else now[topic].channel or SUGGESTED) for topic in TOPICS]
