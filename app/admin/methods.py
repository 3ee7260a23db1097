"""Which methods a path answers to: those of its operations, HEAD where there is a body to leave out, and OPTIONS.

Every path takes every method, so that none that it does not have falls to a path with a place for any id: 405 names
those it has (RFC 9110, 15.5.6), and OPTIONS tells the same to whoever asks first (9.3.7). It is no CORS: no page of
another site may call.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from aiohttp import web

from app.admin.bodies import wait_with_the_body
from app.admin.middleware import guarded
from app.admin.operations import Handler, Operation
from app.admin.segments import pattern, placed

_OPTIONS: Final = "OPTIONS"


def by_path(operations: Iterable[Operation]) -> dict[str, dict[str, Operation]]:
    """Return the operation of each method of each path; HEAD is that of GET.

    A redirect is done by what it sets on the way, and has no HEAD: who looks ahead is not to use up a sign-in.
    """
    found: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        methods = found.setdefault(operation.path, {})
        methods[operation.method] = operation
        if operation.method == "GET" and operation.kinds:
            methods["HEAD"] = operation
    return found


def add_routes(
    router: web.UrlDispatcher, operations: Iterable[Operation], wrap: Callable[[Operation], Handler] = guarded
) -> None:
    """Give each path its operations, wrapped, and an answer to any other method."""
    for path, methods in by_path(operations).items():
        resource = router.add_resource(pattern(path))
        for method, operation in methods.items():
            resource.add_route(method, placed(wrap(operation)), expect_handler=wait_with_the_body)
        resource.add_route("*", _others(methods), expect_handler=wait_with_the_body)


def _others(methods: Mapping[str, Operation]) -> Handler:
    allowed = sorted({*methods, _OPTIONS})

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == _OPTIONS:
            return web.Response(status=204, headers={"Allow": ", ".join(allowed)})
        raise web.HTTPMethodNotAllowed(request.method, allowed)

    return handle
