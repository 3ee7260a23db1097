"""HTTP without a network, held to the same contract tests as the real client."""

from app.adapters.http.redirects import next_hop
from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer, HttpRequest
from app.ports.http import REDIRECTS


class FakeHttp:
    """Answers as told; implements ``app.ports.HttpClient``.

    Attributes:
        requests: What was sent, in order.
        answers: Given one by one; after the last, 200 with an empty body.
    """

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.withins: list[float] = []
        self.answers: list[HttpAnswer | ActionFailedError] = []

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Record the request and answer as told."""
        if not request.url.startswith(("http://", "https://")):
            raise ActionFailedError("url: no http request can be made of it", permanent=True)
        self.requests.append(request)
        self.withins.append(within)
        told = self.answers.pop(0) if self.answers else HttpAnswer(200, {}, "")
        if isinstance(told, ActionFailedError):
            raise told
        lowered = {name.lower(): value for name, value in told.headers.items()}
        answer = HttpAnswer(told.status, lowered, told.body.encode()[:body_limit].decode("utf-8", "replace"))
        if request.redirects and answer.status in REDIRECTS:
            return await self.send(next_hop(request, answer), within=within, body_limit=body_limit)
        return answer
