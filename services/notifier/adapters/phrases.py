"""Reads the words of messages and pages from the folder that ships with the service."""

from pathlib import Path

import yaml

from services.notifier.application.phrases import PhraseBook

FOLDER = Path(__file__).resolve().parent.parent / "phrases"


def load_phrases() -> PhraseBook:
    """The words of every language, by the name of its file."""
    return PhraseBook(
        {
            path.stem: yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
            for path in sorted(FOLDER.glob("*.yaml"))
        }
    )
