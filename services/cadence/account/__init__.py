"""Facts: what is believed about one account, and since when.

Messages arrive late, twice and out of order, and working memory must not care. A field belongs to the newest stamp
that spoke of it (absent: unchanged, null: cleared); a dated entry is kept once per (source, id), the newest N of a kind.
So any order and any repetition end in the same belief and in the same bytes. Inside, a stamp is one text and a
moment an integer of microseconds, because this is folded tens of thousands of times a second.
"""

from services.cadence.account.folding import apply_fact, upgrade
from services.cadence.account.merging import add_entry, merge_fields
from services.cadence.account.retention import ACCOUNT_FIELDS, ENTRIES, MET, REQUESTS_KEPT, WENT_LIVE
from services.cadence.account.stamps import (
    DAY,
    Entries,
    Fields,
    Plain,
    Provenance,
    Stamp,
    StampedFields,
    day_text,
    earliest,
    micros,
    moment,
    plain,
    provenance_of,
    readable,
    stamp_of,
    when,
    who,
)
from services.cadence.account.state import Change, Contract, FactEvent, Facts, Known

__all__ = [
    "ACCOUNT_FIELDS",
    "DAY",
    "ENTRIES",
    "MET",
    "REQUESTS_KEPT",
    "WENT_LIVE",
    "Change",
    "Contract",
    "Entries",
    "FactEvent",
    "Facts",
    "Fields",
    "Known",
    "Plain",
    "Provenance",
    "Stamp",
    "StampedFields",
    "add_entry",
    "apply_fact",
    "day_text",
    "earliest",
    "merge_fields",
    "micros",
    "moment",
    "plain",
    "provenance_of",
    "readable",
    "stamp_of",
    "upgrade",
    "when",
    "who",
]
