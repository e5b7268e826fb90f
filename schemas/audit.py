"""What every service reports to the rules engine: entries of the audit log, and when keys were used."""

from typing import Annotated, Final

from pydantic import Field, JsonValue

from schemas.base import Id, Name, SchemaModel, Text
from schemas.times import Instant

AUDIT_RECORDED: Final = "drumbeat.audit.recorded.v1"
KEY_USED: Final = "drumbeat.key.used.v1"
Service = Annotated[str, Field(pattern=r"^(rules_engine|scheduler|notifier)$")]


class AuditEntry(SchemaModel):
    """A change. The moment is of the real clock."""

    id: Id
    at: Instant
    service: Service
    actor: Name
    """The id of the key or of the session, `link` for the holder of a signed link, `drumbeat` for nobody's call."""
    action: Name
    """What was done, as `noun.verb`."""
    object: Annotated[str, Field(min_length=1, max_length=1000)]
    """What was changed, as `kind/id`; people and erased accounts by the derived id."""
    before: dict[str, JsonValue] | None = None
    after: dict[str, JsonValue] | None = None
    detail: Text = ""


class KeyUsed(SchemaModel):
    """When keys and users were last active at a service, once a minute. It changes nothing and is not in the log."""

    service: Service
    used: Annotated[dict[Id, Instant], Field(max_length=1_000)]
    """By the id of the key or of the user; of the real clock."""
