"""Channels: where notifications go, under a name. The URL holds credentials, so it is written and never answered."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr

from schemas.base import Contract
from schemas.grants import GrantedIds
from schemas.message_template import TemplateName

MAX_URL_CHARS: Final = 4096


class ChannelDraft(Contract):
    """A channel as an administrator writes it.

    Attributes:
        url: As Apprise has it, such as ``slack://TokenA/TokenB/TokenC/#sales``; in a replacement it may be left out.
        owners: Ids of users whose workflows may use it; ``*``: all. A new one is for those of who makes it.
        workflows: Ids of the workflows that may; ``*``: all.
    """

    model_config = ConfigDict(extra="forbid")

    name: TemplateName
    url: Annotated[SecretStr | None, Field(min_length=1, max_length=MAX_URL_CHARS)] = None
    owners: GrantedIds | None = None
    workflows: GrantedIds | None = None


class Channel(Contract):
    """A channel as the API shows it.

    Attributes:
        service: What Apprise calls the service that the URL is for, such as ``Slack``.
    """

    id: UUID
    name: str
    service: str
    version: int
    updated_by: UUID
    created_at: datetime
    updated_at: datetime
    owners: list[str]
    workflows: list[str]
