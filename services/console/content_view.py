"""Content files as a list shows them: each type with its languages and where each comes from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from services.console import labels
from services.console.json_fields import Json, text

LANGUAGES: Final = {
    "en": "English",
    "de": "German",
    "pt": "Portuguese",
    "es": "Spanish",
    "id": "Indonesian",
    "fr": "French",
}
_ORIGINS: Final = {"policy": "this policy", "shipped": "shipped"}


@dataclass(frozen=True, slots=True)
class ContentFile:
    """A content file in force. `name`: its path in the policy folder; `origin`: where it comes from."""

    touchpoint_type: str
    language: str
    reader: str
    origin: str
    text: str

    @property
    def title(self) -> str:
        return labels.title(self.touchpoint_type)

    @property
    def language_name(self) -> str:
        return LANGUAGES.get(self.language, self.language)

    @property
    def name(self) -> str:
        folder = "owner/" if self.reader == "owner" else ""
        return f"content/{self.language}/{folder}{self.touchpoint_type}.md"

    @property
    def is_own(self) -> bool:
        """Whether the policy brings it; otherwise it is the shipped one."""
        return self.origin == "this policy"


@dataclass(frozen=True, slots=True)
class ContentType:
    """A touchpoint type and its files, English first."""

    touchpoint_type: str
    title: str
    files: tuple[ContentFile, ...]


def content_file(document: Json) -> ContentFile | None:
    """An item of the rules engine's listing; None for one without a type or a language."""
    kind, language = text(document, "touchpoint_type"), text(document, "language")
    if not kind or not language:
        return None
    origin = text(document, "origin")
    return ContentFile(
        touchpoint_type=kind,
        language=language,
        reader=text(document, "reader") or "customer",
        origin=_ORIGINS.get(origin, origin),
        text=text(document, "text"),
    )


def content_types(documents: Iterable[Json], reader: str) -> list[ContentType]:
    """What this reader gets, by title."""
    files = [item for item in map(content_file, documents) if item is not None and item.reader == reader]
    by_type: dict[str, list[ContentFile]] = {}
    for item in sorted(files, key=lambda item: (item.language != "en", item.language_name)):
        by_type.setdefault(item.touchpoint_type, []).append(item)
    types = [ContentType(kind, own[0].title, tuple(own)) for kind, own in by_type.items()]
    return sorted(types, key=lambda kind: kind.title)
