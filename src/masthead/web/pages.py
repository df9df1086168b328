"""The table of all pages: which part gives which routes.

A new part is one function ``…_routes(services, renderer)`` and one line in :func:`pages`; the navigation shows what has
a route.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from masthead.kernel.errors import NotFound
from masthead.web.application_form import application_form_routes
from masthead.web.applications import application_routes
from masthead.web.audit import audit_routes
from masthead.web.choosing import choosing_routes
from masthead.web.directory import Directory
from masthead.web.domain import WebServices
from masthead.web.editor import editor_routes
from masthead.web.editor_secrets import Secrets
from masthead.web.executions import execution_routes
from masthead.web.executions_list import execution_list_routes
from masthead.web.files import asset_route
from masthead.web.login import login_routes
from masthead.web.oncall import oncall_routes
from masthead.web.overview import overview_routes
from masthead.web.pager import pager_routes
from masthead.web.paging import paging_routes
from masthead.web.pipelines import pipeline_routes
from masthead.web.pipelines_history import history_routes
from masthead.web.pipelines_run import run_routes
from masthead.web.rendering import Renderer
from masthead.web.search import search_routes
from masthead.web.services import service_routes
from masthead.web.settings import settings_routes
from masthead.web.theme import theme_routes
from masthead.web.trouble import shielded

__all__ = ["pages"]


def pages(services: WebServices) -> Sequence[BaseRoute]:
    """Give the routes of the pages."""
    renderer = Renderer(
        version=services.version, shows_paging=services.settings.deck.feature_pager_duty is not False
    )
    directory = Directory(services)
    secrets = Secrets(services.catalog, services.paging.hasher, services.executions.types)
    routes: list[Route] = [
        *overview_routes(services, renderer, directory),
        *application_form_routes(services, renderer),
        *application_routes(services, renderer, directory),
        *choosing_routes(services, renderer),
        *pager_routes(services, renderer, directory),
        *paging_routes(services, renderer, directory),
        *service_routes(services, renderer),
        *audit_routes(services, renderer),
        *oncall_routes(services, renderer),
        *search_routes(services, renderer),
        *execution_list_routes(services, renderer),
        *execution_routes(services, renderer),
        *pipeline_routes(services, renderer),
        *run_routes(services, renderer),
        *editor_routes(services, renderer, secrets),
        *history_routes(services, renderer, secrets),
        *settings_routes(services, renderer),
        *theme_routes(renderer),
        *login_routes(services, renderer),
        Route("/ui/{rest:path}", _missing, methods=["GET", "POST"], name="no such page"),
    ]
    renderer.offer({route.path for route in routes if "GET" in (route.methods or ())})
    return [asset_route(renderer.assets), *(_shield(route, renderer) for route in routes)]


def _shield(route: Route, renderer: Renderer) -> Route:
    methods = sorted((route.methods or {"GET"}) - {"HEAD"})
    return Route(route.path, shielded(route.endpoint, renderer), methods=methods, name=route.name)


async def _missing(_request: Request) -> Response:
    raise NotFound("No page has this address.")
