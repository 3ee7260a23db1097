"""How a text message goes to a provider that an administrator set up, once.

Neither Twilio nor Meta recognises a repeated request: a message whose answer was lost may have been sent. What follows
is the user's choice, ``on_uncertain``.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Literal, TypeVar

import orjson
from pydantic import Field

from app.actions.answers import MAX_QUOTED_CHARS, is_an_answer, wait_asked
from app.actions.base import ActionContext
from app.actions.shown import Shown
from app.domain.errors import ActionFailedError
from app.domain.redaction import redactor_of
from app.domain.retry import RETRYABLE_STATUSES
from app.domain.storable import marked
from app.ports import HttpAnswer, HttpClient, HttpRequest

T = TypeVar("T")

MAX_ANSWER_BYTES: Final = 8192
UNAVAILABLE: Final = 503
NOT_AGAIN: Final = "it may have been sent, and is not sent again, because on_uncertain is fail"

OnUncertain = Annotated[
    Literal["fail", "retry"],
    Shown(
        "If it is not known whether it was sent",
        "It happens when the answer of the provider is lost.",
        more=True,
        labels={"fail": "Do not send it again", "retry": "Send it again"},
    ),
    Field(description="Where it may have been sent already: fail (at most once) or retry (at least once)"),
]


@dataclass(frozen=True, slots=True)
class Explained:
    """What a provider says of an error; ``transient``: it asks to try again, with any status."""

    text: str
    transient: bool = False


Explain = Callable[[dict[str, Any]], Explained]


@dataclass(frozen=True, slots=True)
class Provider:
    """How to talk to one provider.

    Attributes:
        name: The provider's name, for errors.
        secrets: Never to be quoted, though the provider may do so, in any spelling.
        explain: Reads the JSON of an error.
    """

    name: str
    http: HttpClient
    secrets: tuple[str, ...] = field(repr=False)
    explain: Explain

    async def send(self, request: HttpRequest, context: ActionContext, on_uncertain: OnUncertain) -> dict[str, Any]:
        """Make one attempt and return the JSON of the answer; empty where the answer is not JSON.

        Raises:
            ActionFailedError: Refused, or no answer. Permanent too where the message may have been sent, now or by an
                attempt before, and ``on_uncertain`` is ``fail``.
        """
        answer = await not_twice(lambda: self._attempt(request, context), context, on_uncertain)
        return _object(answer.body)

    async def _attempt(self, request: HttpRequest, context: ActionContext) -> HttpAnswer:
        answer = await self.http.send(request, within=context.within, body_limit=MAX_ANSWER_BYTES)
        answer = replace(answer, body=redactor_of(frozenset(self.secrets)).text(answer.body))
        self._check(answer)
        return answer

    def _check(self, answer: HttpAnswer) -> None:
        status = answer.status
        if 200 <= status < 300:  # noqa: PLR2004 - the status classes of HTTP are best read as numbers
            return
        explained = self.explain(_object(answer.body))
        wait = wait_asked(answer.headers)
        # A server that failed on the way, or a gateway that gave up waiting for it, may have sent the message; one
        # that says when to come back has not.
        unknown = status >= 500 and not (status == UNAVAILABLE and wait is not None)  # noqa: PLR2004 - the same
        retryable = status >= 500 or status in RETRYABLE_STATUSES or explained.transient  # noqa: PLR2004 - the same
        said = marked(" ".join(explained.text.split()))[:MAX_QUOTED_CHARS]
        raise ActionFailedError(
            f"{self.name} answered {status}" + (f": {said}" if said else ""),
            permanent=not retryable,
            retry_after=wait if retryable else None,
            effect_unknown=unknown,
            answered=is_an_answer(status),
        )


async def not_twice(attempt: Callable[[], Awaitable[T]], context: ActionContext, on_uncertain: OnUncertain) -> T:
    """Make one attempt at what nothing recognises when it comes again.

    Raises:
        ActionFailedError: The attempt's. Permanent too where the effect may have happened, now or by an attempt before,
            and ``on_uncertain`` is ``fail``.
    """
    if context.uncertain and on_uncertain == "fail":
        raise ActionFailedError(f"an earlier attempt did not end: {NOT_AGAIN}", permanent=True, effect_unknown=True)
    try:
        return await attempt()
    except ActionFailedError as error:
        if error.effect_unknown and on_uncertain == "fail":
            raise ActionFailedError(f"{error}: {NOT_AGAIN}", permanent=True, effect_unknown=True) from error
        raise


def text_of(value: Any, *, limit: int = 200) -> str | None:
    """Return what a provider's answer names, if it is text that Postgres can hold; its beginning where it is long."""
    return marked(value)[:limit] if isinstance(value, str) else None


def _object(body: str) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return {}
    return value if isinstance(value, dict) else {}
