"""Policy files: one YAML file or one flat folder of them becomes a policy, or a list of everything wrong with it."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from services.rules_engine.adapters.policy_rules import Draft, read_rhythms, read_timelines, read_triggers
from services.rules_engine.adapters.policy_yaml import Mistake, PolicyRefused, Sheet
from services.rules_engine.domain.compile import Health, Named, compile_condition
from services.rules_engine.domain.language.tree import Const
from services.rules_engine.domain.policy import (
    Content,
    Policy,
    Touchpoint,
    make_policy,
)
from services.rules_engine.domain.vocabulary.registry import (
    CHANNELS,
    OWNERS,
    ROLES,
    SEGMENTS,
    STAGES,
    TOPICS,
    Word,
    scope,
)

SHIPPED = Path(__file__).parents[1] / "policies"
SECTIONS = ("health", "segments", "stages", "touchpoints", "rhythms", "triggers", "timelines")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ROLE = {"role": Word("role", "choice", "Role of a contact", values=ROLES, nullable=False)}

__all__ = ["SHIPPED", "PolicyRefused", "load_policy", "load_policy_texts"]


def load_policy(path: Path) -> Policy:
    """Read a policy file, or the `*.yaml` of a flat folder. Raises `PolicyRefused` with every mistake at once."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise PolicyRefused([f"{path}: no *.yaml file in this folder"])
    texts: dict[str, str] = {}
    for file in files:
        try:
            texts[str(file)] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyRefused([f"{file}: cannot be read: {error}"]) from error
    return load_policy_texts(texts)


def load_policy_texts(texts: Mapping[str, str]) -> Policy:
    """File name -> YAML text, read as one policy. Raises `PolicyRefused`."""
    draft, errors = Draft(), list[Mistake]()
    sheets: list[tuple[Sheet, dict[str, yaml.Node]]] = []
    for file, source in sorted(texts.items()):
        sheet = Sheet(file, source, errors)
        root = sheet.compose()
        if root is not None:
            sheets.append((sheet, sheet.mapping(root, "", SECTIONS)))
        elif not errors:
            errors.append((file, 1, 1, "the file says nothing"))
    _read(sheets, draft)
    said = {name for _, found in sheets for name in found}
    if not errors:
        errors += [
            (min(texts), 1, 1, f"section {name!r} is missing") for name in SECTIONS[:4] if name not in said
        ]
    if errors or draft.health is None:
        raise PolicyRefused(
            f"{file}:{line}:{column}: {told}" for file, line, column, told in sorted(set(errors))
        )
    return make_policy(
        Content(
            draft.health,
            tuple(draft.segments),
            tuple(draft.stages),
            tuple(draft.touchpoints.values()),
            tuple(draft.rhythms),
            tuple(draft.triggers),
            tuple(draft.steps),
        )
    )


def _read(sheets: list[tuple[Sheet, dict[str, yaml.Node]]], draft: Draft) -> None:
    """Sections in order, over all files: rules name touchpoints, wherever these are described."""
    parts = 0
    for section in SECTIONS:
        for sheet, found in sheets:
            if section in found:
                sheet.parts = parts
                _READERS[section](sheet, found[section], draft)
                parts = sheet.parts


def _once(sheet: Sheet, node: yaml.Node, draft: Draft, section: str) -> None:
    if section in draft.seen:
        sheet.fault(node, section, f"already said in {draft.seen[section]}")
    draft.seen[section] = sheet.file


def _health(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    _once(sheet, node, draft, "health")
    keys = ("red_below", "yellow_below")
    found = sheet.mapping(node, "health", keys, keys)
    red, yellow = (sheet.number(found[key], f"health.{key}") if key in found else 0.0 for key in keys)
    if len(found) == 2 and not 0 <= red <= yellow <= 100:
        sheet.fault(node, "health", "expected 0 <= red_below <= yellow_below <= 100")
    draft.health = Health(red, yellow)


def _segments(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    _once(sheet, node, draft, "segments")
    words = {name: word for name, word in scope().items() if name not in {"segment", "stage"}}
    draft.segments = _first_match(sheet, node, "segment", SEGMENTS, words)


def _stages(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    _once(sheet, node, draft, "stages")
    words = {name: word for name, word in scope().items() if name != "stage"}
    draft.stages = _first_match(sheet, node, "stage", STAGES, words)


def _first_match(
    sheet: Sheet, node: yaml.Node, key: str, known: Iterable[str], words: Mapping[str, Word]
) -> list[Named]:
    made: list[Named] = []
    for each in sheet.items(node, f"{key}s"):
        found = sheet.mapping(each, key, (key, "when"), (key, "when"))
        if len(found) == 2:
            name = sheet.choice(found[key], key, known)
            made.append((name, sheet.condition(found["when"], f"{name}.when", words)))
    if made and not (isinstance(made[-1][1], Const) and made[-1][1].value is True) and not sheet.errors:
        sheet.fault(node, f"{key}s", f"the last {key} takes what is left: give it `when: true`")
    if not made:
        sheet.fault(node, f"{key}s", f"at least one {key} is needed")
    return made


def _touchpoints(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    required = ("topic", "owner", "channel", "purpose", "minutes")
    for name, each in sheet.mapping(node, "touchpoints", None).items():
        found = sheet.mapping(each, name, (*required, "audience"), required)
        if name in draft.touchpoints:
            sheet.fault(each, name, "this touchpoint is described twice")
        if not _KIND.fullmatch(name):
            sheet.fault(
                each, "touchpoints", f"{name!r}: a touchpoint is named in lower case, digits and underscores"
            )
        if not set(required) <= found.keys():
            draft.touchpoints[name] = Touchpoint(name, None, "", "", "", 0)
            continue
        topic = sheet.choice(found["topic"], f"{name}.topic", (*TOPICS, "internal"))
        draft.touchpoints[name] = Touchpoint(
            name,
            None if topic == "internal" else topic,
            sheet.choice(found["owner"], f"{name}.owner", OWNERS),
            sheet.choice(found["channel"], f"{name}.channel", CHANNELS),
            sheet.text(found["purpose"], f"{name}.purpose"),
            int(sheet.number(found["minutes"], f"{name}.minutes")),
            _audience(sheet, found.get("audience"), name),
        )


def _audience(sheet: Sheet, node: yaml.Node | None, name: str) -> tuple[str, ...]:
    if node is None:
        return ()
    invited = compile_condition(sheet.condition(node, f"{name}.audience", _ROLE))
    return tuple(role for role in ROLES if invited({"role": role}))


_READERS = {
    "health": _health,
    "segments": _segments,
    "stages": _stages,
    "touchpoints": _touchpoints,
    "rhythms": read_rhythms,
    "triggers": read_triggers,
    "timelines": read_timelines,
}
