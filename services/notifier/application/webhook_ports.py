"""What sends webhooks, as the use cases need it. An adapter implements it."""

from datetime import datetime
from typing import Protocol

from services.notifier.application.ports import Endpoint, Webhook
from services.notifier.domain.delivery import Response


class WebhookClient(Protocol):
    async def check(self, url: str) -> None:
        """Raises ForbiddenUrl."""
        ...

    async def send(self, endpoint: Endpoint, webhook: Webhook, *, at: datetime) -> Response:
        """Make one signed attempt at this real moment."""
        ...
