"""The page about content, made of the registry of placeholders and the keys of the front matter."""

from collections.abc import Iterable
from pathlib import Path

from services.cadence.content.front_matter import KEYS, MAX_CHARACTERS, OF_OWNER
from services.cadence.content.placeholders import BLOCK_KINDS, PLACEHOLDERS, Placeholder

_TEMPLATE = Path(__file__).with_name("content.md")


def content_reference() -> str:
    """The page as Markdown."""
    page = _TEMPLATE.read_text(encoding="utf-8")
    parts = {
        "KEYS": "\n".join(f"| `{key}` | {meaning} |" for key, meaning in KEYS.items() if key not in OF_OWNER),
        "OWNER_KEYS": "\n".join(
            f"| `{key}` | {meaning} |" for key, meaning in KEYS.items() if key in OF_OWNER
        ),
        "PLACEHOLDERS": "\n".join(_rows(PLACEHOLDERS.values())),
        "BLOCK_KINDS": ", ".join(sorted(BLOCK_KINDS)),
        "MAX_CHARACTERS": f"{MAX_CHARACTERS:,}",
    }
    for name, text in parts.items():
        page = page.replace(f"[[{name}]]", text)
    return page


def _rows(placeholders: Iterable[Placeholder]) -> Iterable[str]:
    for one in placeholders:
        reader = "both" if "customer" in one.readers else "owner"
        yield f"| `{one.name}` | {one.kind} | {reader} | {one.meaning} | {one.example} |"
