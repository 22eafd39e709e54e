"""Every address: the API under /api/v1/, the pages of each app, health and metrics."""

from django.urls import include, path

urlpatterns = []
