"""The words of every language: the same keys and braces, every plural category, every type of the shipped policy."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from services.cadence.content.format import integer_categories
from services.cadence.policy.load import SHIPPED, load_policy
from services.notifier.adapters.phrases import load_phrases

BOOK = load_phrases()
BRACES = re.compile(r"\{\w+\}")


def texts(words: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in words.items():
        is_plural = isinstance(value, dict) and "other" in value
        if isinstance(value, dict) and not is_plural:
            yield from texts(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


@pytest.mark.parametrize("language", sorted(BOOK.languages))
def test_a_language_has_the_keys_and_the_braces_of_english(language: str) -> None:
    english, own = dict(texts(BOOK.languages["en"])), dict(texts(BOOK.languages[language]))

    assert own.keys() == english.keys()
    for key, value in own.items():
        expected = set(BRACES.findall(str(english[key])))
        for text in value.values() if isinstance(value, dict) else [value]:
            assert set(BRACES.findall(text)) == expected, key
            assert text == text.strip()


@pytest.mark.parametrize("language", sorted(BOOK.languages))
def test_a_plural_has_every_category_of_its_language(language: str) -> None:
    for key, value in texts(BOOK.languages[language]):
        if isinstance(value, dict):
            assert integer_categories(language) <= value.keys(), key


@pytest.mark.parametrize("language", sorted(BOOK.languages))
def test_every_type_of_the_shipped_policy_has_a_name(language: str) -> None:
    shipped = set(load_policy(SHIPPED).catalogue)

    assert shipped <= set(BOOK.languages[language]["types"])


@pytest.mark.parametrize(
    ("language", "days", "words"),
    [
        ("en", 1, "every day"),
        ("en", 14, "every 2 weeks"),
        ("en", 30, "every month"),
        ("en", 91, "every 3 months"),
        ("en", 10, "every 10 days"),
        ("de-AT", 7, "jede Woche"),
        ("de", 90, "alle 3 Monate"),
        ("pt-BR", 365, "todo ano"),
        ("es", 60, "cada 2 meses"),
        ("id", 7, "setiap minggu"),
        ("id", 21, "setiap 3 minggu"),
        ("fr", 7, "every week"),
    ],
)
def test_an_interval_is_in_words_of_the_language(language: str, days: int, words: str) -> None:
    assert BOOK.phrases(language).interval(days) == words
