"""The same book gives the same bytes in every process, whatever the seed of Python's hashes and the order of work."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from services.calendar.levelling import (
    Start,
    choose_phases,
    find_conflicts,
    level,
    relevel,
    relieve,
    share_out,
)
from services.calendar.levelling.handover import AccountLoad, Host
from tests.unit.calendar.levelling.books import draft_book, with_days

ROOT = Path(__file__).resolve().parents[4]


def digest() -> str:
    """Of everything that the library decides about two books."""
    answers: list[object] = []
    for segment in ("mixed", "enterprise"):
        draft = draft_book("bytes", segment)
        phases = choose_phases(draft.book, draft.beats())
        book = draft.build(phases)
        days = level(book, Start.CHEAPEST)
        tight = with_days(book, days)._replace(day_minutes=tuple(m * 2 // 5 for m in book.day_minutes))
        answers += [phases, days, relevel(tight), find_conflicts(tight), relieve(tight)]
    accounts = [AccountLoad(f"{n}", tuple(n * k % 90 for k in range(13))) for n in range(30)]
    hosts = [Host(f"csm-{n}", (n * 7,) * 13, (6000,) * 13) for n in range(5)]
    answers.append(share_out(accounts, hosts))
    return hashlib.sha256(repr(answers).encode()).hexdigest()


def test_every_process_decides_the_same() -> None:
    digests = {
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from tests.unit.calendar.levelling.test_levelling import digest; print(digest())",
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
            timeout=50,
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert digests == {digest()}
