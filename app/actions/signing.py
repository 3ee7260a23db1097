"""Standard Webhooks signatures (https://www.standardwebhooks.com, specification 1.0.0, symmetric)."""

import base64
import binascii
import hashlib
import hmac
from typing import Final

from app.domain.errors import ActionFailedError

SIGNATURE_HEADERS: Final = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)
_VERSION: Final = "v1"


def signature_headers(key: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers that sign a delivery.

    Args:
        key: The shared key.
        message_id: The same on every attempt at a delivery; without a full stop.
        timestamp: When the attempt is made, in seconds since the epoch.
        body: As it is sent, byte for byte.
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"{_VERSION},{signature}",
    }


def signing_key(name: str, secret: str) -> bytes:
    """Return the key that a secret holds: ``whsec_`` and 24 to 64 bytes in base64.

    Raises:
        ActionFailedError: Permanent; it holds none. The text names the secret and has nothing of its value.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise ActionFailedError(
            f"secrets.{name}: is no signing key; one is whsec_ and 24 to 64 bytes in base64", permanent=True
        )
    return key
