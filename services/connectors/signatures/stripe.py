"""`Stripe-Signature: t=<Unix seconds>,v1=<hex>[,v1=...]`: HMAC-SHA256 of `<t>.<body>` with the secret as it is written.

Source: Stripe's documentation, "Verify webhook signatures manually". Thin events are signed alike.
"""

from datetime import datetime

from services.connectors.signatures.request import MISMATCH, Proof, SignedRequest, is_any, mac, missing, stale

HEADER = "stripe-signature"


def check_stripe(request: SignedRequest, proof: Proof, now: datetime) -> str | None:
    """See `Verify`. Any `v1` may match; `v0`, which test events have, proves nothing."""
    header = request.headers.get(HEADER)
    if not header:
        return missing("Stripe-Signature")
    pairs = [
        (name.strip(), value.strip())
        for name, _, value in (part.partition("=") for part in header.split(","))
    ]
    stamps = [value for name, value in pairs if name == "t"]
    shown = [value for name, value in pairs if name == "v1"]
    if len(stamps) != 1 or not shown:
        return "Stripe-Signature does not have one t and a v1."
    expected = [
        mac(secret.encode(), stamps[0].encode("utf-8", "replace") + b"." + request.body).hex()
        for secret in proof.secrets
    ]
    return stale(stamps[0], now) or (None if is_any(shown, expected) else MISMATCH)
