"""What a webhook is told in its config: where it goes, how, and what is sent."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from app.actions.base import ActionConfig, is_stored
from app.actions.constants import judged_on_save
from app.actions.shown import Shown, form
from app.actions.signing import SIGNATURE_HEADERS
from app.actions.templated import Templated
from app.actions.typed_json import repeated_problem
from app.actions.webhook_values import encoded_body, header_value, url
from app.domain.secret_names import is_secret_name

MAX_HEADERS: Final = 50
MIN_TIMEOUT_S: Final = 1.0

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_PLACE: Final = re.compile(r"https?://[^/?#{]+(?=[/?#]|\Z)", re.IGNORECASE)
_OURS: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "headrace-causation",
        "host",
        "idempotency-key",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class WebhookConfig(ActionConfig):
    """What to send, where to.

    ``body`` left out: the event with the workflow's and the execution's ids; ``null``: no body.
    """

    model_config = form(
        "Call another system",
        "Sends the event, or what you write, to an address on the web: a webhook.",
        icon="send",
        family="Flow",
        summary=("{method} {url}",),
    )

    url: Annotated[
        str,
        Templated(),
        Shown("Address", "Where it is sent.", "line", example="https://erp.example/orders"),
        Field(min_length=1, description="http or https; may hold templates"),
        judged_on_save(url),
    ]
    method: Annotated[
        Literal["POST", "PUT", "PATCH", "GET", "DELETE"],
        Shown("Method", "As the other system's documentation says; POST for most.", more=True),
    ] = "POST"
    headers: Annotated[
        dict[str, Annotated[str, judged_on_save(header_value)]],
        Templated(),
        Shown("Headers", "What else the other system asks for, such as Authorization.", "pairs", more=True),
        Field(max_length=MAX_HEADERS),
    ] = Field(default_factory=dict)
    body: Annotated[
        Any,
        Templated(),
        Shown("What is sent", "JSON or text. Leave it empty to send the whole event.", "json"),
        Field(description="A JSON value with templates in it, or a text template"),
        judged_on_save(encoded_body),
    ] = None
    follow_redirects: Annotated[
        bool,
        Shown("Follow redirects", "Goes on where the address says that it has moved, three times at most.", more=True),
        Field(description="Follow up to 3 redirects"),
    ] = True
    sign_with: Annotated[
        str | None,
        Shown("Sign with the secret", "Its name. The other system can check then who sent it.", "secret", more=True),
        Field(description="Secret that signs each delivery as Standard Webhooks has it: whsec_..."),
    ] = None
    timeout_s: Annotated[
        float | None,
        Shown("Give up after (seconds)", "Leave it empty for the usual time.", more=True),
        Field(ge=MIN_TIMEOUT_S, le=300, description="Seconds for one attempt, if less than usual"),
    ] = None

    @field_validator("timeout_s", mode="before")
    @classmethod
    def _stored_before_there_was_a_floor(cls, value: Any, info: ValidationInfo) -> Any:
        too_short = isinstance(value, int | float) and 0 < value < MIN_TIMEOUT_S
        return MIN_TIMEOUT_S if too_short and is_stored(info) else value

    @field_validator("headers")
    @classmethod
    def _headers_are_the_users(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no header name")
            if name.lower() in _OURS:
                raise ValueError(f"{name} is set by Headrace and cannot be chosen")
        if len({name.lower() for name in value}) != len(value):
            raise ValueError("two headers differ only in upper and lower case")
        return value

    @field_validator("body")
    @classmethod
    def _body_can_be_sent(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("method") == "GET":
            raise ValueError("a GET request carries none")
        problem = None if is_stored(info) else repeated_problem(value)
        if problem:
            raise ValueError(problem)
        return value

    @field_validator("sign_with")
    @classmethod
    def _signs_with_a_secret(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not is_secret_name(value):
            raise ValueError("must be the name of a secret: at most 64 of A-Z 0-9 _, beginning with a letter")
        taken = sorted(name for name in info.data.get("headers", {}) if name.lower() in SIGNATURE_HEADERS)
        if value is not None and taken:
            raise ValueError(f"sets {taken[0]}, which cannot be chosen then")
        return value

    @property
    def named_secrets(self) -> frozenset[str]:
        """The one that signs."""
        return frozenset({self.sign_with} if self.sign_with else ())

    @property
    def known_place(self) -> str | None:
        """The URL's scheme, host and port, where no template has a say in them."""
        found = _PLACE.match(self.url.strip())
        return found[0] if found else None

    @property
    def default_body(self) -> bool:
        """Whether the event is sent, because the user named no body."""
        return "body" not in self.model_fields_set and self.method in {"POST", "PUT", "PATCH"}
