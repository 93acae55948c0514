"""The short way to the endpoint that nearly all requests are for."""

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


class Shortcut:
    """Passes requests for one path on to its endpoint; all others go through the app's router.

    The router and its handler of exceptions would take longer than the rest of the app. What the
    endpoint raises reaches the middleware around this one.

    Args:
        route: of an ASGI app; its parameters have the values of `parameters` in that path.
    """

    def __init__(self, app: ASGIApp, route: Route, parameters: dict[str, str]) -> None:
        self._app = app
        self._route = route
        self._parameters = parameters
        self._path = route.url_path_for(route.name, **parameters)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        methods = self._route.methods or ()
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] in methods:
            scope["route"] = self._route
            scope["path_params"] = self._parameters
            await self._route.app(scope, receive, send)
        else:
            await self._app(scope, receive, send)
