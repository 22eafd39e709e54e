"""The HTTP API, /api/v1/: one table of addresses."""

from django.urls import path

import annotate.api
import config.openapi
import exports.api
import ledger.api
import ledger.media
import routing.api

app_name = "api"

urlpatterns = [
    path("openapi.json", config.openapi.document, name="openapi"),
    path("projects/", ledger.api.projects, name="projects"),
    path("projects/<slug:slug>/", ledger.api.project, name="project"),
    path("projects/<slug:slug>/instances/", ledger.api.instances, name="instances"),
    path("projects/<slug:slug>/media/", ledger.media.put, name="media"),
    path("projects/<slug:slug>/labels/", ledger.api.labels, name="labels"),
    path("projects/<slug:slug>/progress/", routing.api.progress, name="progress"),
    path("projects/<slug:slug>/exports/<str:format>/", exports.api.export, name="export"),
    path("projects/<slug:slug>/exports/<str:format>/files/", exports.api.prepare, name="prepare"),
    path("projects/<slug:slug>/files/<row:pk>/", exports.api.prepared, name="prepared"),
    path(
        "projects/<slug:slug>/files/<row:pk>/download/",
        exports.api.prepared_download,
        name="prepared-download",
    ),
    path("projects/<slug:slug>/feedback/", ledger.api.feedback, name="feedback"),
    path("projects/<slug:slug>/gold/", annotate.api.gold, name="gold"),
    path("projects/<slug:slug>/next/", annotate.api.next_assignment, name="next"),
    path("assignments/<row:pk>/submit/", annotate.api.submit, name="submit"),
    path("assignments/<row:pk>/skip/", annotate.api.skip, name="skip"),
    path("assignments/<row:pk>/heartbeat/", annotate.api.heartbeat, name="heartbeat"),
]
