"""Names of content files, and the languages a reader's language falls back to."""

import re
from typing import NamedTuple

from schemas.vocabulary import Reader

DEFAULT_LANGUAGE = "en"
"""What a language falls back to in the end; every type that goes to customers has content in it."""
FOLDER = "content"
_NAME = re.compile(
    r"(?:.*/)?content/(?P<language>[^/]+)/(?P<owner>owner/)?(?P<type>[a-z][a-z0-9_]{0,63})\.md"
)
_KEY = re.compile(r"(?P<language>[^/]+)/(?P<owner>owner/)?(?P<type>[a-z][a-z0-9_]{0,63})")


class ContentName(NamedTuple):
    """What a content file is for."""

    language: str
    touchpoint_type: str
    reader: Reader

    @property
    def key(self) -> str:
        """`language/type`, for the owner `language/owner/type`."""
        owner = "owner/" if self.reader == "owner" else ""
        return f"{self.language}/{owner}{self.touchpoint_type}"

    @property
    def path(self) -> str:
        """`content/<language>/[owner/]<type>.md`."""
        return f"{FOLDER}/{self.key}.md"


def name_of(file: str) -> ContentName | None:
    """What the file of this path (or the record of this key) is for; None: it is not named like content."""
    found = _NAME.fullmatch(file.replace("\\", "/")) or _KEY.fullmatch(file)
    if found is None:
        return None
    return ContentName(found["language"], found["type"], "owner" if found["owner"] else "customer")


def fallback_languages(language: str | None) -> tuple[str, ...]:
    """The languages to look in, the closest first: `pt-BR` gives `pt-BR`, `pt`, `en`."""
    parts = (language or "").replace("_", "-").split("-")
    own = ("-".join(parts[:end]) for end in range(len(parts), 0, -1))
    return tuple(dict.fromkeys([*filter(None, own), DEFAULT_LANGUAGE]))
