"""Reads the words of messages and pages from the folder that ships with the service."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

import yaml

from services.notifier.application.phrases import PhraseBook, Words

FOLDER = Path(__file__).resolve().parent.parent / "phrases"


def load_phrases() -> PhraseBook:
    """The words for customers of every language, by the name of its file."""
    return PhraseBook(_read(FOLDER))


def load_people_phrases() -> PhraseBook:
    """The same for people of ours: with words of their own, their names of touchpoint types, and reasons.

    `reasons`: a sentence as a policy or a service writes it -> the same in the language; English needs none. `notes`: a
    note of the calendar -> the same as people read it.
    """
    for_customers, for_people = _read(FOLDER), _read(FOLDER / "people")
    reasons, notes = (_read_sentences(FOLDER / "people" / name) for name in ("reasons", "notes"))
    return PhraseBook(
        {
            language: {
                **for_customers[language],
                **words,
                "reasons": reasons.get(language, {}),
                "notes": notes[language],
                "types": {**for_customers[language]["types"], **words["types"]},
            }
            for language, words in for_people.items()
        }
    )


def _read_sentences(folder: Path) -> dict[str, Mapping[str, str]]:
    return {language: cast("Mapping[str, str]", texts) for language, texts in _read(folder).items()}


@cache
def _read(folder: Path) -> dict[str, Words]:
    return {
        path.stem: cast("Words", yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
        for path in sorted(folder.glob("*.yaml"))
    }
