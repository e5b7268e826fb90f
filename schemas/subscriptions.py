"""Events about webhook subscriptions for who operates them: on the live stream, and to webhooks that name their types."""

from typing import Final, Literal

from schemas.base import Id, SchemaModel, Text
from schemas.times import Instant

SUBSCRIPTION_FAILING: Final = "drumbeat.subscription.failing.v1"
SUBSCRIPTION_DISABLED: Final = "drumbeat.subscription.disabled.v1"
SUBSCRIPTION_EVENTS: Final = (SUBSCRIPTION_FAILING, SUBSCRIPTION_DISABLED)


class SubscriptionNews(SchemaModel):
    """An endpoint that keeps failing, or was disabled. Times are real; `host` is that of its URL."""

    subscription_id: Id
    host: Text
    state: Literal["failing", "disabled"]
    problem: Text
    """The last failure, or why it was disabled."""
    failing_since: Instant | None = None
    disables_at: Instant | None = None
    """When it is disabled if it goes on failing; null once it is."""
    at: Instant
