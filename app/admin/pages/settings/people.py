"""People by their names: whom a secret or a channel is for, whose a session is, who did something."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from aiohttp import web

from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.grants import ALL
from app.ports.users import UserFilter
from app.services.access.users import UserService

# To choose from; who is beyond them is named by an id in a list of lines.
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class People:
    """Names by id.

    Attributes:
        names: Of those that are known.
        me: Who looks.
        choices: Names with e-mails, to choose from.
    """

    names: Mapping[str, str]
    me: str
    choices: Mapping[str, str] = field(default_factory=dict)

    def named(self, who: object) -> str:
        """Return what somebody is called; whom there is no user of by the beginning of their id."""
        said = str(who)
        name = self.names.get(said, f"user {said[:8]}…")
        return f"{name} (you)" if said == self.me else name

    def in_words(self, owners: Iterable[str], workflows: Iterable[str]) -> str:
        """Say whose workflows may use something."""
        whose, which = list(owners), list(workflows)
        if not whose or not which:
            return "No workflow"
        said = "Everybody's workflows" if ALL in whose else f"Workflows of {', '.join(map(self.named, whose))}"
        return said if ALL in which else f"{said}, {len(which)} of them"


async def people(request: web.Request, ids: Iterable[object], *, everybody: bool = False) -> People:
    """Return what those are called whose ids are given; ``everybody``: and others to choose from."""
    caller, users = request[CALLER], users_of(request)
    wanted = [UUID(str(one)) for one in {*ids, caller.user_id} if str(one) != ALL and is_id(str(one))]
    names = {str(one): name for one, name in (await users.names(caller, wanted)).items()}
    choices: dict[str, str] = {}
    if everybody:
        page = await users.page(caller, UserFilter(disabled=False), None, _MOST)
        choices = {**names, **{str(user.id): f"{user.name}, {user.email}" for user in page.items}}
        names |= {str(user.id): user.name for user in page.items}
    return People(names, str(caller.user_id), choices)


def users_of(request: web.Request) -> UserService:
    """Return the users."""
    return request.app[STATE].access.sign_in.users


def is_id(value: str) -> bool:
    """Tell whether a text is an id, as users and workflows have them."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True
