"""How many accounts a person has, and what they bring in. What nobody knows is null, never 0."""

from typing import Annotated

from pydantic import Field

from schemas.base import Id, SchemaModel


class Book(SchemaModel):
    """The accounts that name one person as their CSM, without those that have churned."""

    csm_id: Id
    accounts: int
    arr: Annotated[
        float | None,
        Field(
            description="the sum of the known yearly revenues in `currency`; null: that of no account is known"
        ),
    ]
    arr_unknown: Annotated[int, Field(description="of how many of these accounts it is not known")]


class Books(SchemaModel):
    """By person, in the order of their ids."""

    currency: Annotated[str, Field(description="the policy's, ISO 4217")]
    items: tuple[Book, ...]
