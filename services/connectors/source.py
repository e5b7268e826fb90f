"""A system that sends webhooks, as a deployment has it configured."""

from dataclasses import dataclass, field

from services.connectors.mapping.model import SourceMapping
from services.connectors.mapping.schema import SignatureSpec
from services.connectors.signatures.request import Proof


@dataclass(frozen=True, slots=True)
class Source:
    """`name`: as in its address. `proof`: what its requests are proved with. `url`: the address that it was given.

    `token`: with which its API at `api_url` is asked; None: it is not.
    """

    name: str
    mapping: SourceMapping
    proof: Proof = field(repr=False)
    url: str
    token: str | None = field(default=None, repr=False)
    api_url: str = ""

    @property
    def event_source(self) -> str:
        """The CloudEvents `source` of what it leads to."""
        return f"/webhooks/{self.name}"


def make_proof(spec: SignatureSpec, secrets: tuple[str, ...], organization_id: str | None) -> Proof:
    return Proof(
        secrets=secrets,
        organization_id=organization_id,
        header=spec.header,
        algorithm=spec.algorithm,
        encoding=spec.encoding,
        prefix=spec.prefix,
        signed=spec.signed,
        timestamp_header=spec.timestamp_header,
        timestamp_form=spec.timestamp_form,
    )
