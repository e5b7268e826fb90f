"""Consent does not care how the post arrived, and an opt-out is never loosened by an older word."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.consent import Choice, Preference, choices, newest, refusal, stated

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
TOPICS = ("education", "promotion")
CHANNELS = ("email", "in_app", "sms")

words = st.builds(
    Preference,
    contact_id=st.just("ann"),
    topic=st.none() | st.sampled_from(TOPICS),
    channel=st.none() | st.sampled_from(CHANNELS),
    opted_in=st.none() | st.booleans(),
    frequency=st.none() | st.just("monthly"),
    time=st.integers(-5, 5).map(lambda hours: NOW + timedelta(hours=hours)),
    source=st.sampled_from(("crm", "page")),
    id=st.integers(0, 50).map(str),
)
# Two contents under one identity are decided upstream; here identities are unique.
post = st.lists(words, max_size=12, unique_by=lambda each: (each.time, each.source, each.id))


def verdicts(heard: list[Preference]) -> dict[tuple[str, str], bool]:
    return {
        (topic, channel): refusal(heard, topic, channel) is None for topic in TOPICS for channel in CHANNELS
    }


@given(heard=post, data=st.data())
def test_any_order_and_repetition_ends_in_the_same_consent(
    heard: list[Preference], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(heard + heard))

    assert verdicts(shuffled) == verdicts(heard)
    assert choices(shuffled, TOPICS) == choices(heard, TOPICS)


@given(heard=post, data=st.data())
def test_hearing_one_at_a_time_is_hearing_all(heard: list[Preference], data: st.DataObject) -> None:
    kept: list[Preference] = []
    for each in data.draw(st.permutations(heard)):
        kept = list(newest([*kept, each]).values())

    assert verdicts(kept) == verdicts(heard)


@given(heard=post, topic=st.none() | st.sampled_from(TOPICS), data=st.data())
def test_an_opt_out_always_wins_over_everything_older(
    heard: list[Preference], topic: str | None, data: st.DataObject
) -> None:
    choice = Choice(topic, opted_in=False, channel="email")
    out = stated("ann", choice, after=heard, now=NOW, word_id="out")

    arrived = data.draw(st.permutations([*heard, out]))

    told = verdicts(arrived)
    assert not any(told[each, channel] for each in TOPICS if topic in (None, each) for channel in CHANNELS)


@given(heard=post, extra=words)
def test_only_an_explicit_opt_in_can_loosen(heard: list[Preference], extra: Preference) -> None:
    if extra.opted_in is True:
        return

    before, after = verdicts(heard), verdicts([*heard, extra])

    if extra.opted_in is None:
        assert after == before
    else:
        newer = [each for each in heard if each.precedence >= extra.precedence]
        if not newer:
            assert all(before[key] or not after[key] for key in before)


def test_a_wider_opt_in_does_not_lift_a_narrower_opt_out() -> None:
    no_promotion = Preference(
        "ann", "promotion", None, opted_in=False, frequency=None, time=NOW, source="crm", id="1"
    )
    yes = Preference(
        "ann", None, None, opted_in=True, frequency=None, time=NOW + timedelta(hours=1), source="crm", id="2"
    )

    assert refusal([no_promotion, yes], "promotion", "email") == no_promotion
    assert refusal([no_promotion, yes], "education", "email") is None


def test_opting_in_to_one_topic_after_leaving_all_lets_that_topic_in() -> None:
    leave = stated("ann", Choice(None, opted_in=False), after=[], now=NOW, word_id="1")
    back = stated("ann", Choice("education", opted_in=True), after=[leave], now=NOW, word_id="2")

    assert refusal([leave, back], "education", "email") is None
    assert refusal([leave, back], "promotion", "email") == leave


def test_what_the_page_stores_the_page_shows() -> None:
    choice = Choice("education", opted_in=True, channel="in_app", frequency="weekly")
    word = stated("ann", choice, after=[], now=NOW, word_id="1")

    shown = choices([word], TOPICS)["education"]

    assert (shown.opted_in, shown.channel, shown.frequency) == (True, "in_app", "weekly")
    assert choices([word], TOPICS)["promotion"].opted_in
