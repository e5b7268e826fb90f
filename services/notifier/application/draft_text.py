"""The text of a draft, which people edit, as a content file, and the figures that it was written from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from schemas.figures import AccountFigures
from schemas.times import format_instant
from services.cadence.content.check import check_file
from services.cadence.content.front_matter import read_front_matter
from services.cadence.content.mistakes import ContentRefused, Mistake
from services.cadence.content.names import ContentName
from services.cadence.content.parse import ContentFile, parse_content, read_content_file
from services.cadence.content.placeholders import PLACEHOLDERS
from services.notifier.application.message_content import names_read
from services.notifier.application.message_facts import ComingTouchpoint, MessageFacts

_SUBJECT_COLUMN: Final = len('subject: "')


@dataclass(frozen=True, slots=True)
class DraftText:
    """What somebody may edit: a line and a body in Markdown, both with placeholders."""

    subject: str
    body: str


class TextRefused(Exception):
    """A text cannot be sent. `problems`: every one, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def file_of(language: str, touchpoint_type: str) -> str:
    """The name of the content file for customers of this language."""
    return ContentName(language, touchpoint_type, "customer").key


def read_text(content: str, file: str) -> DraftText:
    """The parts of a content file that people edit. Raises ContentRefused."""
    mistakes: list[Mistake] = []
    front = read_front_matter(content, file, "customer", mistakes)
    if front is None:
        raise ContentRefused(mistakes)
    subject = front.texts.get("subject")
    return DraftText(subject.text if subject else "", front.body.strip("\n"))


def edit_content(content: str, file: str, text: DraftText) -> str:
    """The content file with this text instead of its own.

    Its preheader and the values without which it is not sent are of the text before, so they go. Raises TextRefused.
    """
    program = parse_content(content, file=file).program
    front = [f"subject: {json.dumps(text.subject.strip(), ensure_ascii=False)}"]
    front += [f"program: {program}"] if program else []
    body = text.body.replace("\r\n", "\n").strip("\n")
    edited = _written(front, body)
    # Its values are known: whether anything is left to say is seen when it is rendered.
    checked = [*front, f"needs: [{', '.join(_names_of(edited, file))}]"]
    mistakes = check_file(file, _written(checked, body))
    if mistakes:
        raise TextRefused([_placed(mistake, len(checked) + 2) for mistake in sorted(set(mistakes))])
    return edited


def _written(front: Sequence[str], body: str) -> str:
    return "\n".join(["---", *front, "---", body, ""])


def _names_of(content: str, file: str) -> list[str]:
    read = read_content_file(content, file, [])
    return sorted(names_read(read) & PLACEHOLDERS.keys()) if read is not None else []


def _placed(mistake: Mistake, before_body: int) -> str:
    """The mistake with its place in the subject or in the body."""
    if mistake.line > before_body:
        return f"body:{mistake.line - before_body}:{mistake.column}: {mistake.text}"
    return f"subject:1:{max(1, mistake.column - _SUBJECT_COLUMN)}: {mistake.text}"


def read_content(content: str, file: str) -> ContentFile:
    """The content file of a draft. Raises ContentRefused."""
    return parse_content(content, file=file)


def write_facts(facts: MessageFacts) -> bytes:
    """The figures and the coming touchpoints as JSON."""
    coming = None if facts.coming is None else [_coming(one) for one in facts.coming]
    figures = None if facts.figures is None else json.loads(facts.figures.write())
    return json.dumps({"figures": figures, "coming": coming}).encode()


def read_facts(stored: bytes) -> MessageFacts:
    document = cast("dict[str, Any]", json.loads(stored))
    figures, coming = document["figures"], document["coming"]
    return MessageFacts(
        figures=None if figures is None else AccountFigures.read(json.dumps(figures).encode()),
        coming=None if coming is None else [ComingTouchpoint.read_item(row) for row in coming],
    )


def _coming(one: ComingTouchpoint) -> dict[str, object]:
    return {
        "type": one.touchpoint_type,
        "due_at": format_instant(one.due_at),
        "channel": one.channel,
        "topic": "account" if one.is_with_customer else None,
    }
