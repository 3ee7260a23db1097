"""``webhook``: an HTTP request to an address the user names; the command id goes along as ``Idempotency-Key``."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from app.actions.answers import check_answer, output_of
from app.actions.base import ActionContext, CompiledConfig, LeasedAction, Ports
from app.actions.signing import signature_headers, signing_key
from app.actions.values import refuse
from app.actions.webhook_config import WebhookConfig
from app.actions.webhook_values import encoded_body, header_value, url
from app.domain.errors import ActionFailedError
from app.domain.grants import refused_host
from app.domain.origins import origin
from app.domain.redaction import MASK
from app.domain.trace_context import TraceContext
from app.ports import HttpRequest

MAX_ANSWER_BYTES: Final = 2048
MAX_REDIRECTS: Final = 3
MAX_CAUSATION_CHARS: Final = 4096
# A destination that is given less, where the installation would give it more, is not blamed for being late.
BLAMED_AFTER_S: Final = 5.0
JSON_TYPE: Final = "application/json"
TEXT_TYPE: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A rendered request.

    Attributes:
        timeout_s: Shortens the time an attempt has, in seconds.
        sign_with: Name of the secret that each attempt is signed with.
    """

    http: HttpRequest
    timeout_s: float | None
    sign_with: str | None = None


class Webhook(LeasedAction[WebhookConfig, WebhookRequest]):
    """Sends an HTTP request; output ``{status, body}``.

    2xx is success. 408, 425, 429 and 5xx may be tried again, when the answer's Retry-After says; any other status is
    final, that of a redirect too, if it is not followed.
    """

    name = "webhook"
    family = "system"
    config = WebhookConfig
    takes_secrets = True
    many_destinations = True
    keeps_time = True

    def destination(self, request: WebhookRequest) -> str:
        """Return the URL's origin."""
        return _origin(request.http.url)

    def prepare(self, config: CompiledConfig[WebhookConfig], context: ActionContext) -> WebhookRequest:
        """Render and check the URL, the headers and the body."""
        fields = config.render(context.scope)
        headers = {"Idempotency-Key": str(context.effect_id), "Headrace-Causation": causation(context)}
        for name, value in fields["headers"].items():
            headers[name] = header_value(f"headers.{name}", value)
        body = default_body(context) if config.config.default_body else fields["body"]
        place, encoded = url("url", fields["url"]), encoded_body("body", body)
        if encoded is not None and not any(name.lower() == "content-type" for name in fields["headers"]):
            headers["Content-Type"] = TEXT_TYPE if isinstance(body, str) else JSON_TYPE
        _refuse_other_hosts(place, context)
        redirects = MAX_REDIRECTS if config.config.follow_redirects else 0
        secret = bool(encoded and context.secrets) and context.redact.finds((encoded or b"").decode())
        request = HttpRequest(config.config.method, place, headers, encoded, redirects, secret, context.hosts)
        return WebhookRequest(request, config.config.timeout_s, config.config.sign_with)

    async def perform(self, request: WebhookRequest, ports: Ports, context: ActionContext) -> dict[str, Any]:
        """Send once and judge the answer."""
        within = min(request.timeout_s or context.within, context.within)
        signed = _signed(request.http, request.sign_with, context) if request.sign_with else request.http
        signed = signed if context.trace is None else _traced(signed, context.trace)
        try:
            answer = await ports.http.send(signed, within=within, body_limit=MAX_ANSWER_BYTES)
        except ActionFailedError as error:
            error.own_making |= error.timed_out and _is_hurried(request.timeout_s, context.timeout)
            raise
        if context.secrets:  # before anything is cut or quoted: half a secret would not be known for one
            answer = replace(answer, body=context.redact.text(answer.body))
        check_answer(answer, request.http.redirects)
        return output_of(answer)


@lru_cache(maxsize=4096)
def _origin(url: str) -> str:
    return origin(urlsplit(url))


def _signed(request: HttpRequest, name: str, context: ActionContext) -> HttpRequest:
    key = signing_key(name, context.secrets[name])
    headers = signature_headers(key, str(context.effect_id), int(context.now().timestamp()), request.body or b"")
    return replace(request, headers={**request.headers, **headers})


def _traced(request: HttpRequest, trace: TraceContext) -> HttpRequest:
    """Hand the trace on, unless the user's headers name another."""
    if any(name.lower() == "traceparent" for name in request.headers):
        return request
    others = {name: value for name, value in request.headers.items() if name.lower() != "tracestate"}
    return replace(request, headers={**others, **trace.headers})


def _is_hurried(timeout_s: float | None, usual: float) -> bool:
    return timeout_s is not None and timeout_s < min(BLAMED_AFTER_S, usual)


def causation(context: ActionContext) -> str:
    """Return the chain of executions that led to this one, and it; a long one loses its oldest links."""
    chain = context.causation
    while len(chain) > MAX_CAUSATION_CHARS:
        chain = chain.partition(",")[2]
    return chain


def default_body(context: ActionContext) -> dict[str, Any]:
    """Return what is sent where the user named no body: the event, and what it set off."""
    scope = context.scope
    return {"event": scope["event"], "workflow": scope["workflow"], "execution": scope["execution"]}


def _refuse_other_hosts(url: str, context: ActionContext) -> None:
    if not context.hosts or MASK in urlsplit(url).netloc:
        return  # of a dry run: which host it is cannot be told
    name = refused_host(url, context.hosts)
    if name is not None:
        refuse("url", f"is on a host that secrets.{name} may not be sent to; an administrator can name it there")
