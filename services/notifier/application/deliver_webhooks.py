"""Deliver webhooks: make one signed attempt and derive the state of the delivery from the response."""

from datetime import datetime

from services.notifier.application.ports import ClaimResult, WebhookClaim, WebhookClient
from services.notifier.domain.retry import after_attempt


async def deliver_webhook(claim: WebhookClaim, *, at: datetime, client: WebhookClient) -> ClaimResult:
    """Make the attempt at this real moment."""
    response = await client.send(claim.endpoint, claim.webhook, at=at)
    delivery, attempt = after_attempt(claim.delivery, response, at=at, first_at=claim.first_at)
    return ClaimResult(claim, delivery, attempt=attempt, response=response)
