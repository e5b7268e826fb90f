"""The keys of a mapping file, as Pydantic models. What their values mean together is checked by `compile`."""

from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.connectors.signatures.request import Algorithm, Encoding

RECEIVED = "received"
"""The word of `otherwise` for the moment at which a request came in."""


class _Part(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)


def _under(key: str) -> Any:
    """A text stands for the mapping that has it under this key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def _one_or_more(value: object) -> object:
    return cast("list[object]", value) if isinstance(value, list) else [value]


class SignatureSpec(_Part):
    """How a request is proved: the name of a scheme, and of `hmac` and `token` its options."""

    scheme: str = Field(description="The name of a scheme")
    header: str = "X-Signature"
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    signed: str = "{body}"
    timestamp_header: str | None = None
    timestamp_form: Literal["seconds", "milliseconds"] = "seconds"


class ValueSpec(_Part):
    """Where a value stands and how it is written."""

    from_: str | None = Field(default=None, alias="from", description="A JMESPath expression")
    value: str | None = None
    form: Annotated[list[str], BeforeValidator(_one_or_more)] = ["iso"]
    zone: str | None = None
    words: dict[str, str] | None = None
    otherwise: str | None = None
    divide: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _has_one(self) -> "ValueSpec":
        if (self.from_ is None) == (self.value is None):
            raise ValueError("give `from`, an expression, or `value`, a text that is always the same")
        return self


Value = Annotated[ValueSpec, _under("from")]


class AccountSpec(_Part):
    """Whose fact it is: an id of Drumbeat, or with `external` the id that another system knows the account by."""

    id: str = Field(description="A JMESPath expression")
    external: str | None = None
    form: Literal["salesforce_id"] | None = None


Accounts = Annotated[list[Annotated[AccountSpec, _under("id")]], BeforeValidator(_one_or_more)]


class FactSpec(_Part):
    """A fact that is made of an item when a condition holds."""

    when: str | None = None
    type: str | None = None
    type_from: str | None = None
    account: Accounts | None = None
    time: Value | None = None
    all_of: str | None = Field(default=None, description="The object that has the data, every member of it")
    without: list[str] = []
    data: dict[str, Value] = {}
    no_account: str | None = None

    @model_validator(mode="after")
    def _has_type(self) -> "FactSpec":
        if (self.type is None) == (self.type_from is None):
            raise ValueError("give `type`, a type of events, or `type_from`, an expression that leads to one")
        return self


class MappingFile(_Part):
    """A mapping file."""

    signature: Annotated[SignatureSpec, _under("scheme")] = Field(description="How requests are proved")
    body: Literal["json", "hubspot", "otlp", "salesforce", "segment", "stripe"] = "json"
    items: str = "@"
    id: str | None = None
    label: str | None = None
    properties: str | None = None
    time: Value = Field(description="When what an item says happened")
    account: Accounts | None = None
    empty: Literal["absent", "clears"] = "absent"
    facts: dict[str, FactSpec] = Field(min_length=1, max_length=200, description="Name -> a fact")
