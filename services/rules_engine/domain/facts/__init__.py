"""Facts: what is believed about one account, and since when.

Messages arrive late, twice and out of order, and working memory must not care. A field belongs to the newest stamp
that spoke of it (absent: unchanged, null: cleared); a dated entry is kept once per (source, id), the newest N of a kind.
So any order and any repetition end in the same belief and in the same bytes. Inside, a stamp is one text and a
moment an integer of microseconds, because this is folded tens of thousands of times a second.
"""

from services.rules_engine.domain.facts.folding import fold, upgrade
from services.rules_engine.domain.facts.kinds import ACCOUNT_FIELDS, ENTRIES, MET, REQUESTS_KEPT, WENT_LIVE
from services.rules_engine.domain.facts.memory import Change, Contract, FactEvent, Facts, Known
from services.rules_engine.domain.facts.settling import remember, settle
from services.rules_engine.domain.facts.stamps import (
    DAY,
    Entries,
    Fields,
    Held,
    Mark,
    Plain,
    Stamp,
    day_text,
    earliest,
    mark_of,
    micros,
    moment,
    plain,
    readable,
    stamp_of,
    when,
    who,
)

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
    "Held",
    "Known",
    "Mark",
    "Plain",
    "Stamp",
    "day_text",
    "earliest",
    "fold",
    "mark_of",
    "micros",
    "moment",
    "plain",
    "readable",
    "remember",
    "settle",
    "stamp_of",
    "upgrade",
    "when",
    "who",
]
