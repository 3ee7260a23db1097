"""Which CRM this installation works on: the built-in one, or the user's own over HTTP (``HEADRACE_CRM_URL``)."""

from typing import Final
from urllib.parse import urlsplit

from app.actions.base import ActionContext, AnyAction
from app.actions.over_http import over_http
from app.adapters.http.crm import CrmServer, HttpCrm, HttpReads
from app.execution.breakers import Breakers
from app.execution.guarded_reads import GuardedReads
from app.ports import CrmReads, HttpClient
from app.settings import Settings

_SHARE: Final = 0.98  # of an attempt's time, as an action's own requests have


def crm_server(settings: Settings) -> CrmServer | None:
    """Return where the user's CRM is; None where the built-in one serves."""
    if not settings.crm_url:
        return None
    token = settings.crm_token.get_secret_value()
    return CrmServer(settings.crm_url.rstrip("/"), token, settings.action_timeout * _SHARE)


def reads_of(
    settings: Settings, client: HttpClient | None, built_in: CrmReads, breakers: Breakers | None = None
) -> CrmReads:
    """Return where customers and orders are looked up; ``client`` is needed where that is the user's CRM."""
    server = crm_server(settings)
    if server is None:
        return built_in
    assert client is not None
    reads = HttpReads(client, server)
    return reads if breakers is None else GuardedReads(reads, breakers, host_of(server))


def host_of(server: CrmServer) -> str:
    """Return the host of a CRM, by which it is called."""
    return urlsplit(server.url).netloc


def on_the_crm(action: AnyAction, settings: Settings, client: HttpClient) -> AnyAction:
    """Return an action as it is carried out here: one on the CRM is an outside effect where that is the user's own."""
    server = crm_server(settings)
    if server is None:
        return action

    def crm_of(context: ActionContext) -> HttpCrm:
        key, chain = str(context.effect_id), context.causation
        return HttpCrm(client, server, key=lambda: key, causation=chain, within=context.within)

    return over_http(action, crm_of, destination=host_of(server))
