"""Deliver webhooks: make one signed attempt, and derive the state of the delivery from the response."""

from datetime import datetime

from services.notifier.application.ports import WebhookClaim, WebhookResult
from services.notifier.application.webhook_ports import WebhookClient
from services.notifier.domain.delivery import Attempt, Delivery, Recipient, RecipientKind
from services.notifier.domain.retry import after_attempt


async def deliver_webhook(claim: WebhookClaim, *, at: datetime, client: WebhookClient) -> WebhookResult:
    """Make the attempt at this real moment."""
    return WebhookResult(claim, await client.send(claim.endpoint, claim.webhook, at=at), at)


def after_response(result: WebhookResult) -> tuple[Delivery, Attempt]:
    """The delivery after this response, and the attempt to record."""
    claim = result.claim
    recipient = Recipient(RecipientKind.SUBSCRIPTION, claim.endpoint.id)
    delivery = Delivery(claim.delivery_id, "webhook", recipient, attempts=claim.attempts)
    return after_attempt(delivery, result.response, at=result.at, first_at=claim.first_at)
