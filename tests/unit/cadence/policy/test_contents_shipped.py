"""Every shipped content file, checked and rendered for many accounts: nothing empty, internal or of another date."""

import random
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from os import environ

import pytest

from schemas.zones import find_zone
from services.cadence.content.check import NOTICES, check_content
from services.cadence.content.format import Formatter, locale_of
from services.cadence.content.names import ContentName
from services.cadence.content.parse import ContentFile, parse_content
from services.cadence.content.placeholders import PLACEHOLDERS
from services.cadence.content.render import render_content
from services.cadence.content.template import Use
from services.cadence.content.values import Amount, Chart, Items, Markdown, Share, Value
from services.cadence.policy import Policy
from services.cadence.policy.contents import types_to_customers
from services.cadence.policy.load import SHIPPED, load_policy, shipped_contents
from services.cadence.policy.model import PERSONS

LANGUAGES = ("en", "de", "pt", "es", "id")
ACCOUNTS = 200 if environ.get("DRUMBEAT_SOAK") else 20
ZONES = ("Europe/Berlin", "America/Sao_Paulo", "Asia/Jakarta", "UTC", "America/New_York")
NAMES = (
    "Ada Lovelace",
    "X",
    "Dr. Maximiliane Freifrau von und zu Hohenstein-Wittelsbach " * 2,
    "עדה לאבלייס",
    "Ж & <Co>",
)
HOLLOW = re.compile(r"<(p|li|ul|ol|h\d|td|th|blockquote|bdi|a|em|strong|pre)( [^>]*)?>\s*</\1>")
INTERNAL = re.compile(
    r"\b(None|nan|null|csm_id|touchpoint_id|account_id|UTC\+|True|False)\b|\{\{|\}\}|\| ?otherwise|[\ue000\ue001]"
)
LOOSE = re.compile(r"\(\s*\)|\s[,.;!?](\s|$)|\.\.|,,|\(,|,\)|\b(of|von|de|dari) ?[.,)]")


@cache
def policy() -> Policy:
    return load_policy(SHIPPED)


@cache
def shipped_files(language: str) -> tuple[ContentFile, ...]:
    return tuple(
        parse_content(text, file=name.path)
        for name, text in shipped_contents().items()
        if name.language == language
    )


def one_value(kind: str, dice: random.Random) -> Value:
    day = date(2026, 11, 29) + timedelta(days=dice.randint(-400, 400))
    words: Mapping[str, Value] = {
        "text": dice.choice(NAMES),
        "number": dice.choice([0, 1, 2, 12, 1_234, 41.6, 3.4, 2_000_000]),
        "date": day,
        "date and time": datetime(day.year, day.month, day.day, dice.randint(0, 23), 30, tzinfo=UTC),
        "share": Share(dice.choice([-0.5, -0.004, 0, 0.03, 1.7]), signed=dice.random() < 0.5),
        "money": Amount(dice.choice([50_000, 1_999.5, 0]), dice.choice(["EUR", "USD", "JPY", "BRL"])),
        "link": "https://drumbeat.example/p/" + "x" * dice.randint(10, 200),
        "list": Items([dice.choice(NAMES) for _ in range(dice.randint(1, 5))]),
        "Markdown": Markdown("First *paragraph*.\n\n## Part\n\n- one\n- [two](https://two.example)"),
        "chart": Chart(
            [(f"{week} Nov", dice.choice([None, 0, 12, 40])) for week in range(1, 13)] + [("29 Nov", 3)]
        ),
    }
    return words[kind]


def values_of(seed: int) -> dict[str, Value | None]:
    """Values of one account: all known, none known, or each known by chance."""
    dice = random.Random(seed)
    share = (1.0, 0.0)[seed] if seed < 2 else dice.random()
    return {
        name: one_value(placeholder.kind, dice) if dice.random() < share else None
        for name, placeholder in PLACEHOLDERS.items()
    }


def written_dates(formatter: Formatter, values: Mapping[str, Value | None]) -> set[str]:
    return {formatter.text(value) for value in values.values() if isinstance(value, date)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_type_has_content_in_every_shipped_language(language: str) -> None:
    content = policy().content
    led = {(rule.touchpoint, rule.owner) for rule in (*content.rhythms, *content.triggers, *content.steps)}
    by_people = {kind.type for kind in content.touchpoints if kind.owner in PERSONS}
    by_people |= {name for name, owner in led if owner in PERSONS} | {"webinar", "training_session"}
    wanted = {ContentName(language, name, "customer") for name in {*types_to_customers(content), *NOTICES}}
    wanted |= {ContentName(language, name, "owner") for name in by_people}
    assert {name for name in shipped_contents() if name.language == language} == wanted


def test_every_shipped_file_is_without_mistakes() -> None:
    places = {name: (place.file, place.line) for name, place in types_to_customers(policy().content).items()}
    files = {name.path: text for name, text in shipped_contents().items()}
    assert check_content(files, [kind.type for kind in policy().content.touchpoints], places) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_reads_what_the_english_file_reads(language: str) -> None:
    english = {(each.touchpoint_type, each.reader): each for each in shipped_files("en")}
    for content in shipped_files(language):
        original = english[content.touchpoint_type, content.reader]
        assert content.needs == original.needs, content.file
        assert content.program == original.program, content.file
        assert names_in(content) == names_in(original), content.file
        assert len(content.tree.children) == len(original.tree.children), content.file
        assert len(content.preparation) == len(original.preparation), content.file
        if content.reader == "owner" and language != "en":
            agenda = policy().catalogue[content.touchpoint_type].agenda
            assert len(content.agenda) == len(agenda), content.file
            assert content.expects, content.file


def test_a_german_mail_goes_on_in_lower_case_after_its_greeting() -> None:
    """The greeting ends in a comma; only the polite `Sie` and `Ihr` keep their capital letter."""
    for content in shipped_files("de"):
        for first in (1, 8, 91):
            day = {**values_of(0), "contract.day": first, "program.title": "x", "invitation.news": "x"}
            text = render_content(content, day, language="de", zone=find_zone("UTC")).text
            found = re.match(r"Guten Tag[^\n]*,\n\n(\S+)", text)
            assert found is None or found[1][0].islower() or found[1].startswith(("Sie", "Ihr")), content.file


def test_a_list_to_prepare_does_not_say_where_the_figures_stand() -> None:
    """The layout puts the figures above it."""
    where = re.compile(r"\b(below|unten|abajo|abaixo|di bawah|above|oben)\b")
    for language in LANGUAGES:
        for content in shipped_files(language):
            assert [line for line in content.preparation if where.search(line)] == [], content.file


def names_in(content: ContentFile) -> set[str]:
    """Languages greet by the whole or by the first name."""
    uses: tuple[Use, ...] = (*content.subject.uses, *content.preheader.uses, *content.uses)
    return {use.name.replace("first_name", "name") for use in uses}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_of_many_accounts_says_only_what_is_known(language: str) -> None:
    """S172, S173, S174."""
    purposes = [kind.purpose for kind in policy().content.touchpoints]
    rules = [rule.rule for rule in policy().content.rules]
    for seed in range(ACCOUNTS):
        values, zone = values_of(seed), find_zone(ZONES[seed % len(ZONES)])
        formatter = Formatter(locale_of(language), zone)
        dates = written_dates(formatter, values)
        for content in shipped_files(language):
            rendered = render_content(content, values, language=language, zone=zone)
            at = f"{content.file} of account {seed}"
            if rendered.is_empty:
                assert any(values[name] is None for name in content.needs), at
                continue
            text = f"{rendered.subject}\n{rendered.preheader}\n{rendered.text}"
            bare = re.sub('<table role="presentation".*?\n</table>', "chart", rendered.html, flags=re.DOTALL)
            assert rendered.subject, at
            assert not HOLLOW.search(bare), (at, HOLLOW.search(bare))
            assert not INTERNAL.search(text), (at, INTERNAL.search(text))
            assert "\n\n\n" not in rendered.text, at
            if content.reader == "customer":
                assert not [each for each in (*purposes, *rules) if each in text], at
            assert_own_dates(text, dates, at)


def assert_own_dates(text: str, dates: set[str], at: str) -> None:
    """Every year in a text is of a date among the values: no date is made up or of something else."""
    for written in sorted(dates, key=len, reverse=True):
        for form in (written, " ".join(written.split())):
            text = re.sub(rf"(?<!\d){re.escape(form)}(?!\d)", "", text)
    assert not re.search(r"\b20\d\d\b", text), (at, re.search(r".{0,30}\b20\d\d\b", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_loose_is_left_where_a_value_is_missing(language: str) -> None:
    """With values that are plain words, no empty bracket and no blank before a full stop is left."""
    known: dict[str, Value | None] = {
        **values_of(0),
        **dict.fromkeys(("contact.name", "contact.first_name"), "Ada"),
    }
    texts = {name: "Word" for name, placeholder in PLACEHOLDERS.items() if placeholder.kind == "text"}
    lists = {
        name: Items(["One", "Two"])
        for name, placeholder in PLACEHOLDERS.items()
        if placeholder.kind == "list"
    }
    for content in shipped_files(language):
        for absent in sorted({*names_in(content), ""} - {*content.needs}):
            values = {**known, **texts, **lists, absent: None}
            rendered = render_content(content, values, language=language, zone=find_zone("UTC"))
            for line in (rendered.subject, rendered.preheader, *rendered.text.split("\n")):
                assert not LOOSE.search(line), (content.file, absent, line)
            assert not rendered.is_empty, (content.file, absent)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_heading_and_no_announcement_stays_without_its_values(language: str) -> None:
    for content in shipped_files(language):
        values: dict[str, Value | None] = {
            name: value for name, value in values_of(0).items() if name in content.needs
        }
        rendered = render_content(content, values, language=language, zone=find_zone("UTC"))
        assert not rendered.is_empty, content.file
        if content.program is None:
            assert "<h" not in rendered.html.replace("<hr>", ""), content.file
        assert not re.search(r":\n\n(?![\d-])", f"{rendered.text}\n\n"), content.file


def test_the_test_of_dates_finds_a_date_of_something_else() -> None:
    with pytest.raises(AssertionError):
        assert_own_dates("It ends on 31 March 2027.", {"1 March 2027"}, "here")
    assert_own_dates("It ends on 31 March 2027.", {"31 March 2027"}, "here")
