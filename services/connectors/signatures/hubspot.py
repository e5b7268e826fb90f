"""HubSpot v3: base64 HMAC-SHA256 of method, URI, body and timestamp (milliseconds), with the client secret of the app.

The URI is the address as HubSpot has it, with certain percent-encoded characters decoded. Source: its documentation,
"Validating requests". HubSpot's own clients do not decode, and refuse what is signed as documented (findings).
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.connectors.signatures.request import MISMATCH, Proof, SignedRequest, is_any, mac, missing, stale

SIGNATURE: Final = "x-hubspot-signature-v3"
TIMESTAMP: Final = "x-hubspot-request-timestamp"
DECODED: Final[Mapping[str, str]] = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
"""What the documentation lists; other escapes stay as they are."""
_ESCAPES: Final = re.compile("|".join(DECODED), re.IGNORECASE)


def decoded(url: str) -> str:
    return _ESCAPES.sub(lambda escape: DECODED[escape[0].upper()], url)


def check_hubspot(request: SignedRequest, proof: Proof, now: datetime) -> str | None:
    """See `Verify`. The address counts as it is, too: HubSpot's clients and some versions of its sender sign that."""
    shown, stamp = request.headers.get(SIGNATURE), request.headers.get(TIMESTAMP)
    if not shown or not stamp:
        return missing("X-HubSpot-Signature-v3" if not shown else "X-HubSpot-Request-Timestamp")
    addresses = dict.fromkeys((decoded(request.url), request.url))
    expected = [
        base64.b64encode(mac(secret.encode(), _signed(request, address, stamp))).decode()
        for secret in proof.secrets
        for address in addresses
    ]
    if problem := stale(stamp, now, per_second=1000):
        return problem
    if is_any([shown], expected):
        return None
    return f"{MISMATCH} HubSpot signs the address, too: it has to be the one of the setting __URL."


def _signed(request: SignedRequest, address: str, stamp: str) -> bytes:
    start = f"{request.method}{address}".encode("utf-8", "replace")
    return start + request.body + stamp.encode("utf-8", "replace")
