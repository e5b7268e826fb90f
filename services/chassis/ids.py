"""Random ids, for what has no cause to derive an id from (schemas.ids)."""

from uuid import uuid4


def fresh() -> str:
    return str(uuid4())
