"""The pauses of an account as they are stored with it, in JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import orjson

from schemas.directory import PauseRecord
from services.notifier.domain.people import Pause


def write_pauses(pauses: Sequence[PauseRecord]) -> str:
    rows = [pause.model_dump(mode="json", include={"contact_id", "until", "reason"}) for pause in pauses]
    return orjson.dumps(rows).decode()


def read_pauses(stored: str) -> tuple[Pause, ...]:
    rows = cast("list[dict[str, Any]]", orjson.loads(stored))
    return tuple(
        Pause(
            row["contact_id"],
            datetime.fromisoformat(row["until"]) if row["until"] else None,
            row["reason"],
        )
        for row in rows
    )
