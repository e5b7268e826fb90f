"""Policy files: one YAML file or one flat folder of them becomes a policy, or a list of everything wrong with it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from services.cadence.expressions.checker import did_you_mean
from services.cadence.policy import Policy, PolicyContent, compile_policy
from services.cadence.policy.catalogue import (
    read_health,
    read_segments,
    read_stages,
    read_touchpoints,
)
from services.cadence.policy.draft import Draft
from services.cadence.policy.grammar import SECTIONS
from services.cadence.policy.moves import (
    read_adjustments,
    read_blackouts,
    read_feedback,
    read_limits,
)
from services.cadence.policy.rules import read_minimum, read_rhythms, read_triggers
from services.cadence.policy.timelines import read_sequences, read_timelines
from services.cadence.policy.yaml_source import Enough, Ledger, PolicyRefused, Sheet

__all__ = [
    "SHIPPED",
    "PolicyRefused",
    "is_test",
    "load_policy",
    "load_policy_texts",
    "policy_texts",
    "read_content",
]

SHIPPED = Path(__file__).with_name("shipped")
FILES = 200
_READERS: Mapping[str, Callable[[Sheet, yaml.Node, Draft], None]] = {
    "health": read_health,
    "segments": read_segments,
    "stages": read_stages,
    "touchpoints": read_touchpoints,
    "rhythms": read_rhythms,
    "minimum": read_minimum,
    "adjustments": read_adjustments,
    "feedback": read_feedback,
    "triggers": read_triggers,
    "timelines": read_timelines,
    "sequences": read_sequences,
    "limits": read_limits,
    "blackouts": read_blackouts,
}


def load_policy(path: Path) -> Policy:
    """Read a policy file, or the `*.yaml` of a flat folder. Raises `PolicyRefused` with every mistake at once."""
    return load_policy_texts(policy_texts(path))


def policy_texts(path: Path) -> dict[str, str]:
    """File name -> text of a policy file, or of those of a flat folder; policy tests (`*_test.yaml`) are none.

    Raises `PolicyRefused` where there is none, or one that cannot be read.
    """
    files = _files(path) if path.is_dir() else [path]
    texts: dict[str, str] = {}
    for file in files:
        try:
            texts[str(file)] = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyRefused([f"{file}: cannot be read: {error}"]) from error
    return texts


def is_test(file: str) -> bool:
    """Files of this name hold tests of a policy."""
    return file.endswith("_test.yaml")


def _files(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.glob("*.yaml") if file.name[0] != "." and not is_test(file.name))
    overlooked = sorted(file for file in folder.glob("*.yml") if file.name[0] != ".")
    if overlooked:
        raise PolicyRefused([f"{file}: policy files end in .yaml; rename it" for file in overlooked])
    if not files:
        raise PolicyRefused([f"{folder}: no *.yaml file in this folder"])
    return files


def load_policy_texts(texts: Mapping[str, str]) -> Policy:
    """File name -> YAML text, read as one policy and compiled. Raises `PolicyRefused`."""
    return compile_policy(read_content(texts))


def read_content(texts: Mapping[str, str]) -> PolicyContent:
    """What the files say, checked. Raises `PolicyRefused` with every mistake, in the order of the files."""
    files = {file: text for file, text in sorted(texts.items()) if not is_test(file)}
    if not files or len(files) > FILES:
        raise PolicyRefused([f"a policy has 1 to {FILES} files, this has {len(files)}"])
    draft, ledger = Draft(), Ledger()
    try:
        _read(files, draft, ledger)
    except Enough:
        last = "\U0010ffff"
        ledger.mistakes.add((last, 0, 0, "there may be more mistakes; these come first"))
    if ledger.mistakes:
        raise PolicyRefused(
            f"{file}:{line}:{column}: {told}" if line else told
            for file, line, column, told in sorted(ledger.mistakes)
        )
    return draft.content()


def _read(files: Mapping[str, str], draft: Draft, ledger: Ledger) -> None:
    """Sections in order, over all files: rules name touchpoints, wherever these are described."""
    sheets = _sheets(files, ledger)
    if len(sheets) == len(files):
        said = {name for _, found in sheets for name in found}
        for section in SECTIONS:
            if section.required and section.name not in said:
                ledger.note((next(iter(files)), 1, 1, f"section {section.name!r} is missing"))
    for section in sorted(SECTIONS, key=lambda each: each.name != "touchpoints"):
        for sheet, found in sheets:
            if section.name in found:
                _READERS[section.name](sheet, found[section.name], draft)


def _sheets(files: Mapping[str, str], ledger: Ledger) -> list[tuple[Sheet, dict[str, yaml.Node]]]:
    """Of every file that can be read: its sections."""
    sheets: list[tuple[Sheet, dict[str, yaml.Node]]] = []
    for file, source in files.items():
        sheet = Sheet(file, source.removeprefix("\ufeff"), ledger)
        before = len(ledger.mistakes)
        root = sheet.compose()
        if root is not None:
            sheets.append((sheet, _sections(sheet, root)))
        elif len(ledger.mistakes) == before:
            ledger.note((file, 1, 1, "the file says nothing"))
    return sheets


def _sections(sheet: Sheet, root: yaml.Node) -> dict[str, yaml.Node]:
    known = {section.name for section in SECTIONS}
    found: dict[str, yaml.Node] = {}
    for name, (key, value) in sheet.pairs(root, "").items():
        if name in known:
            found[name] = value
        else:
            sheet.fault(key, "", f"unknown section {name!r}{did_you_mean(name, known)}")
    return found
