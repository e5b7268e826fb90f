"""Where spans go; nothing is traced unless it is switched on."""

from typing import Annotated

from pydantic import AfterValidator, Field

from services.chassis.setting_group import Group
from services.chassis.urls import check_service_url


class Tracing(Group):
    """`endpoint`: the base address of a receiver of OTLP over HTTP, to which `/v1/traces` is added.

    `sample_ratio`: the share of new traces that is recorded; one that comes from outside keeps the decision made there.
    """

    endpoint: Annotated[str, AfterValidator(check_service_url)] | None = None
    sample_ratio: float = Field(default=1.0, ge=0, le=1)
