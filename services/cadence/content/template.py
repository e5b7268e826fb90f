"""A text with placeholders: `{{ name }}`, `{{ name | otherwise: text }}`, `{{ name | one: # user | other: # users }}`.

`{{ name | 1+: text | 7+: text }}` has a text for numbers from 1 and one for numbers from 7.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.cadence.content.mistakes import Mistake, place

CATEGORIES: Final = ("zero", "one", "two", "few", "many", "other")
"""The plural categories of CLDR."""
OPEN, CLOSE = "\ue000", "\ue001"
"""Characters of the private use area: around the number of a placeholder while Markdown is parsed."""
MARK: Final = re.compile(f"{OPEN}(\\d+){CLOSE}")
PRIVATE: Final = re.compile(f"[{OPEN}{CLOSE}]")
_PLACEHOLDER = re.compile(r"\{\{(?P<inside>[^{}\n]*)\}\}")
_LEAD = re.compile(r"(?P<lead>,? )(?=\{\{[^{}\n|]*\|\s*otherwise:\s*\}\})")
STEP: Final = re.compile(r"(\d{1,4})\+")
"""An option for numbers from this one on."""
_NAME = re.compile(r"[a-z_]+\.[a-z_]+")


@dataclass(frozen=True, slots=True)
class Use:
    """A placeholder where it is used. `otherwise`: the text that stands in for an unknown value; None: there is none.

    `lead`: a space before it, also after a comma, which goes when `otherwise` is empty. `plurals`: CLDR category, or
    the least number as `7+`, -> text.
    """

    name: str
    otherwise: str | None = None
    plurals: Mapping[str, str] = field(default_factory=dict[str, str])
    lead: str = ""
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Template:
    """`text` has the number of a use between `OPEN` and `CLOSE` for each of `uses`."""

    text: str
    uses: tuple[Use, ...] = ()

    def pieces(self) -> list[str | Use]:
        """Texts and placeholders in order."""
        return split(self.text, self.uses)


def split(text: str, uses: tuple[Use, ...]) -> list[str | Use]:
    """The texts between marks, and the uses that marks stand for."""
    parts = MARK.split(text)
    return [uses[int(part)] if index % 2 else part for index, part in enumerate(parts) if index % 2 or part]


def parse_template(
    text: str, mistakes: list[Mistake], file: str, start: tuple[int, int] = (1, 1)
) -> Template:
    """Find the placeholders of a text that begins at line and column `start` of the file; mistakes are added."""
    uses: list[Use] = []
    mistakes.extend(
        Mistake(file, *place(text, stray.start(), start), "this character cannot be used")
        for stray in PRIVATE.finditer(text)
    )
    text = PRIVATE.sub("", text)

    def mark(found: re.Match[str]) -> str:
        at = place(text, found.start("placeholder"), start)
        uses.append(_use(found, mistakes, file, at))
        return f"{OPEN}{len(uses) - 1}{CLOSE}"

    pattern = re.compile(f"(?:{_LEAD.pattern})?(?P<placeholder>{_PLACEHOLDER.pattern})")
    marked = pattern.sub(mark, text)
    rest = _PLACEHOLDER.sub(lambda found: " " * len(found[0]), text)
    stray = min((at for at in (rest.find("{{"), rest.find("}}")) if at >= 0), default=None)
    if stray is not None:
        what = "write a placeholder as {{ account.name }}, on one line"
        mistakes.append(Mistake(file, *place(text, stray, start), what))
    return Template(marked, tuple(uses))


def _use(found: re.Match[str], mistakes: list[Mistake], file: str, at: tuple[int, int]) -> Use:
    name, *options = (part.strip() for part in found["inside"].split("|"))
    otherwise, plurals = None, dict[str, str]()
    if not _NAME.fullmatch(name):
        mistakes.append(
            Mistake(file, *at, f"{name!r} is not the name of a placeholder, such as account.name")
        )
    for option in options:
        key, colon, text = (part.strip() for part in option.partition(":"))
        if colon and key == "otherwise" and otherwise is None:
            otherwise = text
        elif colon and (key in CATEGORIES or STEP.fullmatch(key)) and key not in plurals:
            plurals[key] = text
        else:
            problem = "is written twice" if key in plurals or key == "otherwise" else "is not an option"
            options_text = f"otherwise, {', '.join(CATEGORIES)}, numbers such as 7+"
            mistakes.append(
                Mistake(file, *at, f"{key!r} {problem}; options are {options_text}, each with a colon")
            )
    return Use(name, otherwise, plurals, found["lead"] or "", *at)
