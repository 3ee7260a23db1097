"""Where the embedded default's stand-ins are, which take what goes out in place of real receivers."""

from typing import Final, Self

from pydantic import Field, model_validator

from app.settings.base import Group

_URL: Final = r"^$|^https?://[^/@?#]+$"


class StandInSettings(Group):
    """What `headrace up` says of its stand-ins, for the page that shows what went out; nobody sets these by hand."""

    stand_in_mail_url: str = Field("", pattern=_URL, description="What was mailed; empty: mail goes to a real server")
    stand_in_messages_url: str = Field("", pattern=_URL, description="Which SMS and WhatsApp messages were sent")
    stand_in_webhooks_url: str = Field("", pattern=_URL, description="Which webhooks arrived")

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        urls = (self.stand_in_mail_url, self.stand_in_messages_url, self.stand_in_webhooks_url)
        if any(urls) and not all(urls):
            raise ValueError("HEADRACE_STAND_IN_*_URL must be given all three, or none")
        return self
