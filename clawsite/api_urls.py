"""What the API handler answers, on every host: the API in both forms, and what operators ask; and
the pages of agents' own hosts: the console's own are Django's (`clawsite.asgi`)."""

from django.urls import include, path

from agents import pages
from clawsite import diagnostics, openapi
from clawsite.health import healthz, metrics_page, readyz
from conversations.transports.urls import urlpatterns

api = [*urlpatterns, path(openapi.SHOW.path, openapi.SHOW.view)]
urlpatterns = [
    path("", pages.chat),
    path("demo/", pages.demo),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics_page),
    path("api/diagnostics/stream", diagnostics.stream),
    path("api/", include((api, "api"))),
    path("a/<slug>/api/", include((api, "agent_api"))),
]
