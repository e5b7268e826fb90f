"""Senders with a shared secret and a scheme of their own: an HMAC described by options, or the secret itself.

Without a signed moment a request cannot be stale; the ids of its items keep a repetition from counting twice.
"""

import base64
import binascii
from datetime import datetime
from urllib.parse import parse_qs

from services.connectors.signatures.request import MISMATCH, Proof, SignedRequest, is_any, mac, missing, stale


def check_hmac(request: SignedRequest, proof: Proof, now: datetime) -> str | None:
    """See `Verify`: `signed`, with {body}, {timestamp}, {url} and {method} filled in, signed as the options say."""
    shown = request.headers.get(proof.header.lower())
    if not shown:
        return missing(proof.header)
    stamp = request.headers.get((proof.timestamp_header or "").lower(), "")
    if proof.timestamp_header is not None:
        if not stamp:
            return missing(proof.timestamp_header)
        per_second = 1000 if proof.timestamp_form == "milliseconds" else 1
        if problem := stale(stamp, now, per_second=per_second):
            return problem
    signed = _filled(proof.signed, request, stamp)
    digests = [mac(secret.encode(), signed, proof.algorithm) for secret in proof.secrets]
    expected = [f"{proof.prefix}{_encoded(digest, proof)}" for digest in digests]
    candidates = [part.strip() for part in shown.split(",")]
    return None if is_any([shown, *candidates], expected) else MISMATCH


def _filled(template: str, request: SignedRequest, stamp: str) -> bytes:
    """The bytes that are signed. The body is put in last, as bytes: it may be no text, and have braces."""
    before, has_body, after = template.partition("{body}")
    values = {"{timestamp}": stamp, "{url}": request.url, "{method}": request.method}
    parts: list[bytes] = []
    for text in (before, after):
        for name, value in values.items():
            text = text.replace(name, value)  # noqa: PLW2901 - filled in one after the other
        parts.append(text.encode("utf-8", "replace"))
    return parts[0] + (request.body if has_body else b"") + parts[1]


def _encoded(digest: bytes, proof: Proof) -> str:
    return digest.hex() if proof.encoding == "hex" else base64.b64encode(digest).decode()


def check_segment(request: SignedRequest, proof: Proof, now: datetime) -> str | None:
    """`X-Signature`: hex HMAC-SHA1 of the body; else the secret in `Authorization`, as RudderStack sends it.

    Segment's destination Webhooks (Actions) signs only the first event of a batch, so a batch of it is refused.
    Source: Segment's documentation, "Webhooks Destination", and Twilio's support article on batched webhooks.
    """
    shown = request.headers.get("x-signature")
    if not shown:
        return check_token(request, proof, now)
    expected = [mac(secret.encode(), request.body, "sha1").hex() for secret in proof.secrets]
    if is_any([shown.lower()], expected):
        return None
    batch = (
        " Segment signs the first event of a batch alone: turn batching off."
        if request.body[:1] == b"["
        else ""
    )
    return f"{MISMATCH}{batch}"


def check_token(request: SignedRequest, proof: Proof, now: datetime) -> str | None:  # noqa: ARG001 - see `Verify`
    """The secret itself: as `Authorization: Bearer`, as user or password of `Basic`, or in the header of the options."""
    authorization = request.headers.get("authorization", "")
    scheme, _, credentials = authorization.partition(" ")
    shown = [credentials.strip()] if scheme.lower() == "bearer" else []
    if scheme.lower() == "basic":
        shown = _basic(credentials)
    if (value := request.headers.get(proof.header.lower())) is not None:
        shown.append(value)
    if not shown:
        return f"Neither a header {proof.header} nor Authorization is there."
    return None if is_any(shown, proof.secrets) else "The secret that was shown is another one."


def _basic(credentials: str) -> list[str]:
    """User and password of basic authentication (RFC 7617), those that are not empty."""
    try:
        user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return []
    return [text for text in (user, password) if text]


def check_query(request: SignedRequest, proof: Proof, now: datetime) -> str | None:
    """The secret in the address, `?secret=...`, for senders that can show nothing else; else as `check_token` has it."""
    shown = (
        parse_qs(request.query, max_num_fields=50).get("secret", []) if request.query.count("&") < 50 else []
    )
    if shown:
        return None if is_any(shown, proof.secrets) else "The secret in the address is another one."
    if check_token(request, proof, now) is None:
        return None
    return "The address has no `?secret=` with the secret, and no header shows it."
