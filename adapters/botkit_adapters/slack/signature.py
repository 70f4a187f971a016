"""Is a request from Slack? https://docs.slack.dev/authentication/verifying-requests-from-slack

Checked here and before any SDK: Bolt answers 500 to a timestamp that is no number or a signature
that is not ASCII, which makes Slack send again, and logs the body of a request it refuses.
"""

from __future__ import annotations

import hashlib
import hmac

TOLERANCE_SECONDS = 300


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature ``v0=...`` of a body sent at ``timestamp`` (seconds since 1970)."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def genuine(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Whether the signature is right, and at most five minutes old."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        return False
    expected = sign(secret, timestamp, body).encode()
    matches = hmac.compare_digest(expected, signature.encode("utf-8", "replace"))
    return matches and abs(now - int(timestamp)) <= TOLERANCE_SECONDS
