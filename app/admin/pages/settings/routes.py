"""Every page of the settings."""

from typing import Final

from app.admin.operations import Operation
from app.admin.pages.settings import audit, channels, keys, messages, profile, secrets, sections, sessions, users

PAGES: Final[tuple[Operation, ...]] = (
    *sections.PAGES,
    *profile.PAGES,
    *sessions.PAGES,
    *messages.PAGES,
    *channels.PAGES,
    *secrets.PAGES,
    *users.PAGES,
    *keys.PAGES,
    *audit.PAGES,
)
