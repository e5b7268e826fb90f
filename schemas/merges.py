"""Facts that join two accounts."""

from pydantic import Field

from schemas.base import SchemaModel, TrimmedId


class AccountMerged(SchemaModel):
    """Another account is the same customer: it ends, and all of it belongs to this one, the event's subject."""

    from_: TrimmedId = Field(validation_alias="from", serialization_alias="from")
    """The account that ends."""
