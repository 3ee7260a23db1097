"""Redirects of requests to addresses that users name (RFC 9110, 15.4): what the next request is, if there is one.

The method and the body are repeated on 301, 302, 307 and 308, and 303 is followed with a GET. RFC 9110 lets a client
turn a POST into a GET on 301 and 302, too; a webhook must not: the empty GET would count as delivered. What proves who
sends (credentials, signature, the user's own headers) goes to the origin that it was meant for and to no other.
"""

from dataclasses import replace
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from app.domain.errors import ActionFailedError
from app.domain.grants import refused_host
from app.domain.origins import DEFAULT_PORTS, origin
from app.ports import HttpAnswer, HttpRequest

SEE_OTHER: Final = 303
MAX_LOCATION_CHARS: Final = 4096

# What says which command it is, and what the body is, is no proof of anything.
_FOR_ANY_ORIGIN: Final = frozenset({"content-type", "headrace-causation", "idempotency-key"})
# Of a body that a GET does not repeat.
_OF_THE_BODY: Final = frozenset({"content-type", "webhook-id", "webhook-signature", "webhook-timestamp"})


def next_hop(request: HttpRequest, answer: HttpAnswer) -> HttpRequest:
    """Return the request that an answer redirects to, with one redirect fewer left.

    Raises:
        ActionFailedError: Permanent: it leads nowhere, away from HTTP, from https to http, to a host
            that a secret may not go to, or would repeat a body with
            a secret in it to another origin.
    """
    url, target = _target(request.url, answer)
    refused = refused_host(url, request.hosts)
    if refused is not None:
        raise _refused(answer, f"to a host that secrets.{refused} may not be sent to")
    headers, method, body = request.headers, request.method, request.body
    if answer.status == SEE_OTHER:
        headers, method, body = _without(headers, _OF_THE_BODY), "GET", None
    if origin(urlsplit(request.url)) != origin(target):
        if body is not None and request.body_is_secret:
            raise _refused(answer, "to another host, which must not get the secret in the body")
        headers = {name: value for name, value in headers.items() if name.lower() in _FOR_ANY_ORIGIN}
    return replace(request, url=url, headers=headers, method=method, body=body, redirects=request.redirects - 1)


def _target(base: str, answer: HttpAnswer) -> tuple[str, SplitResult]:
    location = answer.headers.get("location", "")
    if not location or len(location) > MAX_LOCATION_CHARS:
        raise _refused(answer, "without a Location" if not location else "to an endless address")
    try:
        url = urljoin(base, location)
        target = urlsplit(url)
        _ = target.port
    except ValueError:
        raise _refused(answer, "to what is no URL") from None
    if target.scheme not in DEFAULT_PORTS or not target.hostname or "@" in target.netloc:
        raise _refused(answer, "to what is no plain http or https address")
    if urlsplit(base).scheme == "https" and target.scheme == "http":
        raise _refused(answer, "from https to http")
    return url, target


def _refused(answer: HttpAnswer, where: str) -> ActionFailedError:
    return ActionFailedError(f"answered {answer.status}, a redirect {where}", permanent=True)


def _without(headers: dict[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}
