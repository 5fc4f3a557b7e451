"""Is a POST really from the platform? HMAC-SHA256 of the bytes as they came, with the app secret."""

from __future__ import annotations

import hmac

HEADER = "X-Hub-Signature-256"
_PREFIX = "sha256="


def valid(secret: str, raw: bytes, header: str | None) -> bool:
    """Does the header sign exactly these bytes? Compared in constant time; False for any other header."""
    if not header or not header.startswith(_PREFIX) or not header.isascii():
        return False
    return hmac.compare_digest(sign(secret, raw), header.lower())


def sign(secret: str, raw: bytes) -> str:
    """The header's value for these bytes."""
    return _PREFIX + hmac.digest(secret.encode(), raw, "sha256").hex()
