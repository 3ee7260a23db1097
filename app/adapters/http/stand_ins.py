"""What the embedded default's stand-ins for mail servers, message providers and webhooks have taken, over HTTP."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from app.domain.errors import ActionFailedError, NotFoundError, UnreachableError
from app.ports import HttpClient, HttpRequest
from app.ports.sent_messages import SentKind, SentMessage

_WITHIN_S: Final = 3.0
# A mail may have 10 MiB, and JSON escapes some of it.
_MOST_BYTES: Final = 32 * 1024 * 1024
_OK: Final = 200
_NOT_FOUND: Final = 404
_PROVIDERS: Final[Mapping[str, SentKind]] = {"twilio": "sms", "whatsapp": "whatsapp"}
_WHICH: Final[Mapping[SentKind, str]] = {kind: provider for provider, kind in _PROVIDERS.items()}


@dataclass(frozen=True, slots=True)
class StandInUrls:
    """Where they are, without a slash at the end."""

    mail: str
    messages: str
    webhooks: str


class StandIns:
    """Implements ``app.ports.sent_messages.SentMessages``.

    Args:
        client: Sends the requests.
        urls: Where they go.
    """

    def __init__(self, client: HttpClient, urls: StandInUrls) -> None:
        self._client = client
        self._urls = urls

    async def newest(self, kind: SentKind | None, before: float | None, count: int) -> Sequence[SentMessage]:
        """Return the newest of each, put together."""
        wanted = {"most": str(count), **({"before": repr(before)} if before is not None else {})}
        found = await asyncio.gather(*(self._recent(url, wanted) for url in self._lists(kind)))
        rows = [_message(one) for rows in found for one in rows]
        return sorted(rows, key=lambda one: one.at, reverse=True)[:count]

    def _lists(self, kind: SentKind | None) -> Iterable[str]:
        """Yield what lists a kind, with what it is to leave out."""
        if kind in {None, "mail"}:
            yield f"{self._urls.mail}/recent?"
        if kind in {None, "webhook"}:
            yield f"{self._urls.webhooks}/recent?"
        if kind is None:
            yield f"{self._urls.messages}/recent?"
        elif kind in _WHICH:
            yield f"{self._urls.messages}/recent?provider={_WHICH[kind]}&"

    async def _recent(self, url: str, wanted: Mapping[str, str]) -> list[Any]:
        return list((await self._asked(url + urlencode(wanted)))["items"])

    async def get(self, kind: SentKind, number: int) -> SentMessage:
        """Return one."""
        base = {"mail": self._urls.mail, "webhook": self._urls.webhooks}.get(kind, self._urls.messages)
        found = _message(await self._asked(f"{base}/kept/{number}"))
        if found.kind != kind:
            raise NotFoundError("There is no such message")
        return found

    async def _asked(self, url: str) -> Any:
        try:
            answer = await self._client.send(HttpRequest("GET", url), within=_WITHIN_S, body_limit=_MOST_BYTES)
        except ActionFailedError as error:
            raise UnreachableError(f"A stand-in of the embedded default does not answer: {error}") from None
        if answer.status == _NOT_FOUND:
            raise NotFoundError("There is no such message: only the newest are kept, until Headrace is stopped")
        if answer.status != _OK:
            raise UnreachableError(f"A stand-in of the embedded default answered {answer.status}")
        return orjson.loads(answer.body)


def _message(row: Mapping[str, Any]) -> SentMessage:
    """Read what a stand-in says of one, by what it is."""
    at = datetime.fromtimestamp(row["received_at"], UTC)
    if "recipients" in row:
        facts = {"From": row["sender"], **dict(row.get("headers", ()))}
        return SentMessage(
            "mail", row["number"], at, ", ".join(row["recipients"]), row["subject"], row["text"], row["html"], facts
        )
    if "provider" in row:
        facts = {"Id": row["id"], **{name or "Parameter": text for name, text in row["parameters"]}}
        return SentMessage(_PROVIDERS[row["provider"]], row["number"], at, row["to"], "", row["text"], facts=facts)
    facts = {"Idempotency-Key": row["key"], "Content-Type": row["content_type"], "traceparent": row["traceparent"]}
    return SentMessage("webhook", row["number"], at, row["path"], "", row["body"], facts=facts)
