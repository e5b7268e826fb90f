"""The state of an account as bytes and back: compact, versioned, equal bytes for equal states."""

from typing import NamedTuple, NotRequired, TypedDict, cast

import orjson

from services.cadence.account import Contract, Entries, Facts, Stamp, StampedFields
from services.cadence.account.contracts import upgrade_contract
from services.cadence.account.issued import Issued, IssuedTime, upgrade_issued
from services.cadence.account.packing import packed, unpacked
from services.cadence.account.state import AwayContact
from services.cadence.account.upgrade import upgrade_facts
from services.cadence.account.usage import Usage, UsageSource
from services.cadence.account.verdicts import Verdicts

FORMAT = 4
"""Read but no longer written: formats 1 to 3 (`upgrade`); of these 1 and 2 have all fields of the last touchpoints and no
times by type.
"""


class _Document(TypedDict):
    """Version, time of the first event, account and entries; then contacts with their joining times, contracts,
    preferences, pauses, issued one-offs, the times of touchpoints by type, verdicts on messages, usage, erased contacts,
    contacts that are away, merged accounts and the first event, where there are any.
    """

    v: int
    f: int | None
    a: StampedFields
    e: dict[str, Entries]
    c: NotRequired[dict[str, StampedFields]]
    j: NotRequired[dict[str, Stamp]]
    k: NotRequired[dict[str, dict[str, list[Stamp]] | tuple[StampedFields, Entries, *tuple[Entries, ...]]]]
    p: NotRequired[dict[str, StampedFields]]
    z: NotRequired[dict[str, StampedFields]]
    i: NotRequired[dict[str, StampedFields]]
    t: NotRequired[dict[str, dict[str, IssuedTime]]]
    erased: NotRequired[dict[str, int]]
    first: NotRequired[Stamp]
    q: NotRequired[Verdicts]
    u: NotRequired[tuple[int | None, dict[str, UsageSource], bool]]
    away: NotRequired[dict[str, tuple[StampedFields, Stamp | None]]]
    merged: NotRequired[dict[str, Stamp]]


class AccountState(NamedTuple):
    """Everything stored of an account."""

    facts: Facts
    issued: Issued


class UnreadableState(Exception):
    """The stored state of an account is damaged, or has a format that this version does not know."""


def dumps(document: object) -> bytes:
    """Canonical JSON: keys sorted."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def loads(data: bytes | str) -> object:
    return cast("object", orjson.loads(data))


def encode(facts: Facts, issued: Issued) -> bytes:
    """Write the state, about 1-4 kB an account, packed. The sorted keys put entries in the order of their stamps."""
    parts: dict[str, object] = {
        "c": facts.contacts,
        "j": facts.joined,
        "k": {key: contract.statements for key, contract in facts.contracts.items()},
        "p": facts.preferences,
        "z": facts.pauses,
        "u": (facts.usage.newest, facts.usage.sources, facts.usage.more_sources)
        if facts.usage.sources
        else None,
        "erased": facts.erased,
        "away": {key: (away.fields, away.joined) for key, away in facts.away.items()},
        "merged": facts.merged,
        "first": facts.first_event,
        "i": issued.remembered_one_offs() if issued.one_offs else None,
        "t": issued.times,
        "q": issued.verdicts,
    }
    document: dict[str, object] = {
        "v": FORMAT,
        "f": facts.first_event_at,
        "a": facts.account,
        "e": facts.entries,
    }
    return packed(dumps(document | {key: part for key, part in parts.items() if part}))


def decode(account_id: str, data: bytes | None) -> AccountState:
    """Read the state of an account (None: there is none yet). Raises `UnreadableState`.

    Nothing is converted or copied: stamps are texts, and their order is that of the sorted keys.
    """
    if data is None:
        return AccountState(Facts(account_id), Issued())
    try:
        return _decode(account_id, data)
    except (ValueError, LookupError, TypeError, AttributeError) as damage:
        raise UnreadableState(
            f"the stored state of account {account_id} is damaged ({damage!r}): restore it from a backup"
        ) from damage


def _decode(account_id: str, data: bytes) -> AccountState:
    document = cast("_Document", orjson.loads(unpacked(data)))
    version = document.get("v")
    if version not in {1, 2, 3, FORMAT}:
        raise UnreadableState(
            f"the stored state of account {account_id} has format {version!r}, and this version reads formats up to "
            f"{FORMAT}: start the version that wrote it, or a newer one"
        )
    usage = document.get("u")
    facts = Facts(
        account_id,
        document["f"],
        document.get("first"),
        document["a"],
        document.get("c", {}),
        {key: _contract(stored) for key, stored in document.get("k", {}).items()},
        document.get("p", {}),
        document.get("z", {}),
        document["e"],
        document.get("j", {}),
        document.get("erased", {}),
        {key: AwayContact(*parts) for key, parts in document.get("away", {}).items()},
        document.get("merged", {}),
        Usage() if usage is None else Usage(*usage),
    )
    if version != FORMAT:
        upgrade_facts(facts, version)
    if version < 3:
        return AccountState(facts, upgrade_issued(document.get("i", {})))
    return AccountState(facts, Issued(document.get("i", {}), document.get("t", {}), document.get("q", {})))


def _contract(
    stored: dict[str, list[Stamp]] | tuple[StampedFields, Entries, *tuple[Entries, ...]],
) -> Contract:
    return Contract(stored) if isinstance(stored, dict) else upgrade_contract(*stored[:3])
