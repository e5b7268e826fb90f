"""The memory as bytes and back: compact, versioned, equal for equal belief.

The one module of the domain that knows JSON bytes.
"""

from typing import NamedTuple, NotRequired, TypedDict, cast

import orjson

from services.cadence.account import Contract, Entries, Facts, Stamp, StampedFields, upgrade
from services.cadence.account.issued import Issued

FORMAT = 2
"""1, read but no longer written, knew no first descriptions of contacts and no history of revenue."""


class _Document(TypedDict):
    """Version, first heard, account, entries; and where there are any contacts, when they joined, contracts,
    preferences, pauses and what was issued.
    """

    v: int
    f: int | None
    a: StampedFields
    e: dict[str, Entries]
    c: NotRequired[dict[str, StampedFields]]
    j: NotRequired[dict[str, Stamp]]
    k: NotRequired[dict[str, tuple[StampedFields, Entries, *tuple[Entries, ...]]]]
    p: NotRequired[dict[str, StampedFields]]
    z: NotRequired[dict[str, StampedFields]]
    i: NotRequired[dict[str, StampedFields]]


class AccountState(NamedTuple):
    """All that is remembered of an account."""

    facts: Facts
    issued: Issued


class UnreadableState(Exception):
    """An account's stored memory is of a format this code does not know."""


def dumps(document: object) -> bytes:
    """Canonical JSON: keys sorted."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def loads(data: bytes | str) -> object:
    return cast("object", orjson.loads(data))


def encode(facts: Facts, issued: Issued) -> bytes:
    """Equal belief, equal bytes; about 1-4 kB an account. Sorted keys put what a mark opens in its order, too."""
    document: dict[str, object] = {
        "v": FORMAT,
        "f": facts.first_heard,
        "a": facts.account,
        "e": facts.entries,
    }
    if facts.contacts:
        document["c"] = facts.contacts
        document["j"] = facts.joined
    if facts.contracts:
        document["k"] = {key: (each.held, each.terms, each.revenues) for key, each in facts.contracts.items()}
    if facts.preferences:
        document["p"] = facts.preferences
    if facts.pauses:
        document["z"] = facts.pauses
    if issued.touches:
        document["i"] = issued.touches
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def decode(account_id: str, data: bytes | None) -> AccountState:
    """The memory of an account (None: nothing heard yet). Raises `UnreadableState` for a format of another day.

    The document is taken as it is, without a copy: marks are texts, and their order is that of the sorted keys.
    """
    if data is None:
        return AccountState(Facts(account_id), Issued())
    document = cast("_Document", orjson.loads(data))
    written_in = document.get("v")
    if written_in not in {1, FORMAT}:
        raise UnreadableState(
            f"the memory of account {account_id} has format {written_in!r}, this version reads up to {FORMAT}: "
            "start the version that wrote it, or a newer one"
        )
    facts = Facts(
        account_id,
        document["f"],
        document["a"],
        document.get("c", {}),
        {key: Contract(*parts[:3]) for key, parts in document.get("k", {}).items()},
        document.get("p", {}),
        document.get("z", {}),
        document["e"],
        document.get("j", {}),
    )
    if written_in != FORMAT:
        upgrade(facts)
    return AccountState(facts, Issued(document.get("i", {})))
