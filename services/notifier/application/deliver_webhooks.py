"""Call hooks: one signed attempt at a webhook, and what follows from the answer."""

from datetime import datetime

from services.notifier.application.ports import Poster, Settled, Sign, WebhookClaim
from services.notifier.domain.retry import after_attempt
from services.notifier.domain.subscription import payload


async def call_hook(
    claim: WebhookClaim, *, at: datetime, poster: Poster, sign: Sign, instant: str
) -> Settled:
    """Make the attempt at this real moment; `instant` is the announcement's time as text."""
    endpoint = claim.endpoint
    body = payload(claim.type, instant, claim.data)
    headers = sign(claim.message_id, at, body, endpoint.secrets.valid_at(at))
    receipt = await poster.post(endpoint.url, body, headers, at=at)
    delivery, attempt = after_attempt(claim.delivery, receipt, at=at, first_at=claim.first_at)
    return Settled(claim, delivery, attempt=attempt, receipt=receipt)
