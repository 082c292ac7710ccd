"""The routes of every process, workers too, for operators, load balancers and Prometheus."""

from django.urls import path

from clawsite.operator.health import healthz, metrics_page, readyz

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics_page),
]
