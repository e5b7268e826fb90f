"""The memory as bytes and back: compact, versioned, equal for equal belief.

The one module of the domain that knows JSON bytes.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import cast

import orjson

from services.rules_engine.domain.facts import Contract, Entry, Facts, Fields, Held, Mark
from services.rules_engine.domain.issued import Issued

FORMAT = 1
_BY_MARK = itemgetter(0)
_Pair = tuple[list[object], Fields]
_Pairs = list[_Pair]


class UnreadableMemory(Exception):
    """An account's stored memory is of a format this code does not know."""


def dumps(document: object) -> bytes:
    """Canonical JSON: keys sorted."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def loads(data: bytes | str) -> object:
    return cast("object", orjson.loads(data))


def encode(facts: Facts, issued: Issued) -> bytes:
    """Equal belief, equal bytes; about 1-4 kB an account."""
    document: dict[str, object] = {"v": FORMAT, "f": facts.first_heard, "a": _held(facts.account)}
    document["e"] = facts.entries
    if facts.contacts:
        document["c"] = {key: _held(held) for key, held in facts.contacts.items()}
    if facts.contracts:
        document["k"] = {key: (_held(each.held), each.terms) for key, each in facts.contracts.items()}
    if facts.preferences:
        document["p"] = {key: _held(held) for key, held in facts.preferences.items()}
    if facts.pauses:
        document["z"] = {key: _held(held) for key, held in facts.pauses.items()}
    if issued.touches:
        document["i"] = {key: _held(held) for key, held in issued.touches.items()}
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _held(held: Held) -> list[Entry]:
    return list(held.items()) if len(held) == 1 else sorted(held.items(), key=_BY_MARK)


def decode(account_id: str, data: bytes | None) -> tuple[Facts, Issued]:
    """The memory of an account (None: nothing heard yet). Raises `UnreadableMemory` for a format of another day."""
    if data is None:
        return Facts(account_id), Issued()
    document = cast("dict[str, object]", orjson.loads(data))
    if document.get("v") != FORMAT:
        raise UnreadableMemory(
            f"the memory of account {account_id} has format {document.get('v')!r}, this version reads {FORMAT}: "
            "start the version that wrote it, or a newer one"
        )
    facts = Facts(
        account_id,
        cast("int | None", document["f"]),
        _unheld(cast("_Pairs", document["a"])),
        _scoped(document, "c"),
        {},
        _scoped(document, "p"),
        _scoped(document, "z"),
        {
            kind: [(cast("Mark", tuple(mark)), fields) for mark, fields in pairs]
            for kind, pairs in cast("dict[str, _Pairs]", document["e"]).items()
        },
    )
    for key, (held, terms) in cast("dict[str, tuple[_Pairs, _Pairs]]", document.get("k", {})).items():
        facts.contracts[key] = Contract(
            _unheld(held), [(cast("Mark", tuple(mark)), fields) for mark, fields in terms]
        )
    return facts, Issued(_scoped(document, "i"))


def _unheld(pairs: _Pairs) -> Held:
    return {cast("Mark", tuple(mark)): fields for mark, fields in pairs}


def _scoped(document: Mapping[str, object], name: str) -> dict[str, Held]:
    scoped = document.get(name)
    if scoped is None:
        return {}
    return {key: _unheld(pairs) for key, pairs in cast("dict[str, _Pairs]", scoped).items()}
