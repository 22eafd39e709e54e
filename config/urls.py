"""Every address: the API under /api/v1/, the pages of each app, health and metrics."""

from django.urls import include, path

import ledger.media
from annotate.views import home
from web import views

# In this order they are tried, so the API's prefix comes before the pages' many patterns.
urlpatterns = [
    path("api/v1/", include("config.api_urls")),
    path("", home, name="home"),
    path("", include("annotate.urls")),
    path("", include("dashboard.urls")),
    path("accounts/", include("accounts.urls")),
    path("media/<slug:slug>/<str:name>", ledger.media.show, name="media"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
