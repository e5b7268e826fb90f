"""What rules stand on: health, segments, stages and the catalogue of touchpoints, read into the draft of a policy."""

import re
from collections.abc import Mapping

import yaml

from services.cadence.expressions.compile import Health, Named, compile_condition
from services.cadence.expressions.tree import Const
from services.cadence.features.registry import ROLES, Feature
from services.cadence.policy import Location, Touchpoint
from services.cadence.policy.draft import Draft
from services.cadence.policy.forms import INTERNAL, PERSONS, SPOKEN
from services.cadence.policy.grammar import PATTERNS
from services.cadence.policy.values import Record, record
from services.cadence.policy.yaml_source import NEVER, Enough, Sheet, shown

KINDS = 300
_KIND = re.compile(PATTERNS["touchpoint"])
_ROLE = {"role": Feature("role", "choice", "Role of a contact", values=ROLES, nullable=False)}


def read_health(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    read = record(sheet, node, "health", "health")
    draft.once(read, "health")
    red = read.number("red_below")
    yellow = read.number("yellow_below")
    if red is not None and yellow is not None:
        if red > yellow:
            read.fault("yellow_below", f"this is below red_below ({red:g}); yellow lies above red")
        draft.health = Health(red, yellow)


def read_segments(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    words = {name: word for name, word in draft.words().items() if name not in {"segment", "stage"}}
    draft.segments = _first_match(sheet, node, draft, "segment", words)


def read_stages(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    words = {name: word for name, word in draft.words().items() if name != "stage"}
    draft.stages = _first_match(sheet, node, draft, "stage", words)


def _first_match(
    sheet: Sheet, node: yaml.Node, draft: Draft, key: str, words: Mapping[str, Feature]
) -> list[Named]:
    made: list[Named] = []
    if f"{key}s" in draft.seen:
        before = draft.seen[f"{key}s"]
        sheet.fault(node, f"{key}s", f"already said at {before.file}:{before.line}")
    draft.seen[f"{key}s"] = Location(sheet.file, node.start_mark.line + 1)
    items = sheet.items(node, f"{key}s")
    for index, each in enumerate(items):
        read = record(sheet, each, key)
        draft.places[f"{key}/{index}"] = read.place
        name = read.choice(key)
        tree = (
            sheet.condition(read.found["when"], f"{name or key}.when", words) if read.has("when") else NEVER
        )
        made.append((name, tree))
    if made and made[-1][1] is not NEVER and made[-1][1] != Const(value=True, at=0):
        sheet.fault(items[-1], f"{key}s", f"the last {key} takes what is left: give it `when: true`")
    return made


def read_touchpoints(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for name, (key, value) in sheet.pairs(node, "touchpoints").items():
        if name in draft.touchpoints:
            before = draft.touchpoints[name].place
            sheet.fault(
                key, "touchpoints", f"{shown(name)} is described already at {before.file}:{before.line}"
            )
        if not _KIND.fullmatch(name):
            what = "a touchpoint is named in lower case, digits and underscores, and begins with a letter"
            sheet.fault(key, "touchpoints", f"{shown(name)}: {what}")
        if len(draft.touchpoints) >= KINDS:
            sheet.fault(key, "touchpoints", f"a policy has at most {KINDS} kinds of touchpoint")
            raise Enough
        read = record(sheet, value, "touchpoint", name if _KIND.fullmatch(name) else "touchpoint")
        place = Location(sheet.file, key.start_mark.line + 1)
        draft.touchpoints[name] = _touchpoint(read, name, place)


def _touchpoint(read: Record, name: str, place: Location) -> Touchpoint:
    topic, owner, channel = read.choice("topic"), read.choice("owner"), read.choice("channel")
    agenda = read.lines("agenda")
    led = owner if owner in PERSONS else channel if channel in SPOKEN else ""
    if led and not read.has("agenda"):
        who = f"{owner} leads it" if owner in PERSONS else f"it is a {channel}"
        read.sheet.fault(read.node, read.name, f"'agenda' is missing: {who}, so say what is talked about")
    if topic == INTERNAL and read.has("audience"):
        read.fault("audience", "internal work has no audience; no customer hears of it")
    return Touchpoint(
        name,
        None if topic == INTERNAL else topic,
        owner,
        channel,
        read.text("purpose"),
        int(read.number("minutes") or 0),
        _audience(read),
        read.choice("aim"),
        agenda,
        read.text("expects"),
        read.truth("never_skip"),
        place,
    )


def _audience(read: Record) -> tuple[str, ...]:
    if not read.has("audience"):
        return ()
    tree = read.sheet.condition(read.found["audience"], read.where("audience"), _ROLE)
    if tree is NEVER:
        return ()
    invited = compile_condition(tree)
    found = tuple(role for role in ROLES if invited({"role": role}))
    if not found:
        read.fault("audience", "this invites nobody; without an audience it is for every contact")
    return () if found == ROLES else found
