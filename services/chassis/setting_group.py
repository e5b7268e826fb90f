"""A group of settings: `DRUMBEAT_GROUP__NAME`."""

from typing import cast

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def from_as_sender(document: object) -> object:
    """The document of a group with `from`, a word of Python, under the name of its field, `sender`."""
    if not isinstance(document, dict) or "from" not in document:
        return cast("object", document)
    values = cast("dict[str, object]", document)
    return {name: value for name, value in values.items() if name != "from"} | {"sender": values["from"]}
