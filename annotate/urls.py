"""The annotator's pages."""

from django.urls import path

from annotate import onboarding_views, views

app_name = "annotate"

WORK = "projects/<slug:slug>/work/"

urlpatterns = [
    path(WORK, views.work, name="work"),
    path(f"{WORK}back/", views.back, name="back"),
    path(f"{WORK}guidelines/", views.guidelines, name="guidelines"),
    path(f"{WORK}<row:pk>/", views.correct, name="correct"),
    path(f"{WORK}<row:pk>/submit/", views.submit, name="submit"),
    path(f"{WORK}<row:pk>/correct/", views.resubmit, name="resubmit"),
    path(f"{WORK}<row:pk>/skip/", views.skip, name="skip"),
    path(f"{WORK}<row:pk>/flag/", views.flag, name="flag"),
    path(f"{WORK}<row:pk>/draft/", views.draft, name="draft"),
    path(f"{WORK}<row:pk>/heartbeat/", views.heartbeat, name="heartbeat"),
    path("projects/<slug:slug>/welcome/", onboarding_views.welcome, name="welcome"),
    path("settings/", views.settings_page, name="settings"),
]
