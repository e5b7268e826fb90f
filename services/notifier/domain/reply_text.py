"""What a person wrote in an answer: without the mail that is quoted below it, and without the signature.

A small rule that rather keeps a line too much: quoted lines begin with `>`, or follow a line that mail programs write.
"""

import re
from collections.abc import Sequence
from typing import Final

MOST_CHARACTERS: Final = 2_000
_LINES: Final = 2_000
_DIVIDER: Final = re.compile(r"\s*(_{8,}|-{2,}\s*[^\W\d_][^-]{2,50}\s*-{2,})\s*")
"""`________`, or words between dashes, in whatever language: `-----Original Message-----`."""
_FROM: Final = re.compile(r"\s*\*?(From|Von|De|Dari)\s*:\*?\s*\S", re.IGNORECASE)
_SENT: Final = re.compile(
    r"\s*\*?(Sent|Date|Gesendet|Datum|Enviado( el)?|Fecha|Enviada( em)?|Data|Dikirim|Terkirim|Tanggal|To|An|Para|Kepada)"
    r"\s*:\*?\s*\S",
    re.IGNORECASE,
)
_DEVICE: Final = re.compile(
    r"\s*(Sent from my|Get Outlook for|Von meinem .* gesendet|Gesendet von|Enviado desde mi|Enviado do meu"
    r"|Dikirim dari)\b.*",
    re.IGNORECASE,
)
_ATTRIBUTION_LINES: Final = 3
"""Lines that `On Monday, ... wrote:` may take."""


def own_text(text: str) -> str:
    """What was written, at most 2,000 characters; empty where nothing but a quotation is left."""
    lines = [line.rstrip() for line in text.split("\n")[:_LINES]]
    end = next((index for index in range(len(lines)) if _ends_at(lines, index)), len(lines))
    kept = [line for line in lines[:end] if not line.startswith(">")]
    while kept and (not kept[-1].strip() or _DEVICE.fullmatch(kept[-1])):
        kept.pop()
    whole = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return whole if len(whole) <= MOST_CHARACTERS else whole[: MOST_CHARACTERS - 1].rstrip() + "…"


def _ends_at(lines: Sequence[str], index: int) -> bool:
    """Whether the quoted mail or the signature begins with this line."""
    line = lines[index]
    if line in ("--", "-- ") or _DIVIDER.fullmatch(line):
        return True
    if _FROM.match(line) and any(_SENT.match(one) for one in lines[index + 1 : index + 4]):
        return True
    return bool(line.strip()) and not line.startswith(">") and _is_attribution(lines, index)


def _is_attribution(lines: Sequence[str], index: int) -> bool:
    """Whether one to three lines from here end in a colon, have an address or a year, and are followed by a quotation."""
    for last in range(index, min(index + _ATTRIBUTION_LINES, len(lines))):
        if not lines[last].strip() or lines[last].startswith(">"):
            return False
        if lines[last].endswith(":"):
            following = next((line for line in lines[last + 1 :] if line.strip()), "")
            words = " ".join(lines[index : last + 1])
            return following.startswith(">") and bool(re.search(r"\d{4}|@", words))
    return False
