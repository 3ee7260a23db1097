"""The public keys that tokens are signed with, from a JWKS URL (RFC 7517): cached, and followed as they rotate."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
import jwt
import orjson

from app.domain.errors import HeadraceError, UnreachableError
from app.services.access.recent import WholeSet
from app.services.operations.outages import Outage

ALGORITHMS: Final = ("RS256", "ES256")
FRESH_S: Final = 600.0
ASK_AGAIN_S: Final = 10.0
_WITHIN_S: Final = 3.0
_MAX_BYTES: Final = 256 * 1024
_LOG: Final = logging.getLogger(__name__)

Fetch = Callable[[str], Awaitable[Any]]


class UnknownKeyError(HeadraceError):
    """The key set has no such key."""


async def read_whole(response: aiohttp.ClientResponse) -> bytes:
    """Return an answer's body, however many pieces it comes in.

    Raises:
        UnreachableError: It has more than 256 KiB.
    """
    raw = b""
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > _MAX_BYTES:
            raise UnreachableError(f"{response.url.with_query(None)} answered more than {_MAX_BYTES} bytes")
    return raw


async def fetch_json(url: str) -> Any:
    """Fetch a small JSON document; redirects are not followed.

    Raises:
        UnreachableError: It is not answered with 200 and JSON of at most 256 KiB within 3 seconds.
    """
    try:
        timeout = aiohttp.ClientTimeout(total=_WITHIN_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False, raise_for_status=True) as response,
        ):
            if response.status != 200:  # noqa: PLR2004 - HTTP's OK
                raise UnreachableError(f"{url} answered {response.status}")
            return orjson.loads(await read_whole(response))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise UnreachableError(f"{url} does not answer with a key set ({type(error).__name__})") from error


class KeySet:
    """The keys behind a URL.

    Args:
        url: The URL of the JWKS document.
        fetch: Fetches a JSON document.
        clock: Seconds, monotonic.
    """

    def __init__(self, url: str, fetch: Fetch = fetch_json, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._fetch = fetch
        self._set: WholeSet[str | None, jwt.PyJWK] = WholeSet(self._read, FRESH_S, ASK_AGAIN_S, clock)
        self._why_not = ""
        self._outage = Outage("key set", _LOG, clock=clock)

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """Return a key; one without an id is meant where the set has one key only.

        Raises:
            UnknownKeyError: There is no key of this id.
            UnreachableError: The set was never fetched, and cannot be now.
        """
        found = await self._set.get(lambda keys: _find(keys, key_id))
        if found is None and self._why_not and not self._set.known:
            raise UnreachableError(self._why_not)
        if found is None:
            raise UnknownKeyError("the token's key is not in the key set")
        return found

    async def _read(self) -> Mapping[str | None, jwt.PyJWK]:
        try:
            found = _usable(await self._fetch(self._url))
        except UnreachableError as error:
            self._why_not = str(error)
            self._outage.failed(error)  # the keys known so far stay in use
            return self._set.known
        self._outage.served()
        return found


def _find(keys: Mapping[str | None, jwt.PyJWK], key_id: str | None) -> jwt.PyJWK | None:
    if key_id is None and len(keys) == 1:
        return next(iter(keys.values()))
    return keys.get(key_id)


def _usable(document: Any) -> dict[str | None, jwt.PyJWK]:
    """Return the keys that may sign tokens: public ones, of an algorithm we take."""
    listed = document.get("keys") if isinstance(document, dict) else None
    found: dict[str | None, jwt.PyJWK] = {}
    for raw in listed if isinstance(listed, list) else ():
        try:
            key = jwt.PyJWK.from_dict(raw)
        except (jwt.PyJWTError, AttributeError, TypeError, ValueError) as error:
            _LOG.warning("a key of the key set is left out", extra={"why": type(error).__name__})
            continue
        if key.algorithm_name in ALGORITHMS and key.public_key_use in {None, "sig"}:
            found[key.key_id] = key
    return found
