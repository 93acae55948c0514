"""Interactive docs: Swagger UI, its files served from an installed package."""

import importlib.util
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

PACKAGE = "offapi"
"""Contains Swagger UI, Redoc and Scalar. It isn't imported: that would read all three."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="docs/swagger-ui.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
"""


def docs_routes(title: str) -> list[Route]:
    """The page at `/docs` and its files. All URLs on it are relative, so a proxy may add a prefix.

    Args:
        title: plain text without markup.
    """
    files = _files()
    page = PAGE.format(title=title)

    async def show(request: Request) -> Response:  # noqa: ARG001 - Starlette passes it
        return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    async def start(request: Request) -> Response:  # noqa: ARG001 - Starlette passes it
        return Response(START, media_type="text/javascript")

    async def script(request: Request) -> Response:
        return _whole_file(request, files / "swagger_bundle.js", "text/javascript")

    async def style(request: Request) -> Response:
        return _whole_file(request, files / "swagger_style.css", "text/css")

    return [
        Route("/docs", show),
        Route("/docs/start.js", start),
        Route("/docs/swagger-ui.js", script),
        Route("/docs/swagger-ui.css", style),
    ]


def _whole_file(request: Request, path: Path, media_type: str) -> Response:
    # Ranges may be ignored; Starlette would refuse wrong ones without problem details.
    scope = request.scope
    scope["headers"] = [header for header in scope["headers"] if header[0] != b"range"]
    return FileResponse(path, media_type=media_type, headers={"Accept-Ranges": "none"})


def _files() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"The package {PACKAGE}, which contains Swagger UI, is not installed."
        )
    return Path(spec.submodule_search_locations[0])
