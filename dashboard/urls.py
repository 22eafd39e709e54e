"""The dashboard's pages."""

from django.urls import path

from dashboard.views import (
    account,
    distribution,
    exports,
    imports,
    instances,
    judge,
    judge_set_up,
    judges,
    overview,
    people,
    projects,
    quality,
    routing,
    settings,
)

app_name = "dashboard"

PROJECT = "projects/<slug:slug>/"

urlpatterns = [
    path("projects/", projects.projects, name="projects"),
    path("new-project/", projects.new_project, name="project_new"),
    path(PROJECT, overview.overview, name="overview"),
    path(f"{PROJECT}instances/", instances.instances, name="instances"),
    path(f"{PROJECT}instances/<path:ref>/", instances.instance, name="instance"),
    path(f"{PROJECT}import/", imports.imports, name="imports"),
    path(f"{PROJECT}import/<row:pk>/", imports.look, name="import_look"),
    path(f"{PROJECT}import/<row:pk>/start/", imports.start, name="import_start"),
    path(f"{PROJECT}import/<row:pk>/discard/", imports.discard, name="import_discard"),
    path(f"{PROJECT}judges/", judges.judges, name="judges"),
    path(f"{PROJECT}judges/new/", judge_set_up.new_judge, name="judge_new"),
    path(f"{PROJECT}judges/endpoints/", judge_set_up.endpoints, name="endpoints"),
    path(f"{PROJECT}judges/endpoints/<row:pk>/", judge_set_up.endpoint, name="endpoint"),
    path(f"{PROJECT}judges/endpoints/<row:pk>/drop/", judge_set_up.endpoint_drop, name="endpoint_drop"),
    path(f"{PROJECT}judges/of/<path:name>/change/", judge_set_up.change, name="judge_change"),
    path(f"{PROJECT}judges/of/<path:name>/drop/", judge_set_up.drop, name="judge_drop"),
    path(f"{PROJECT}judges/of/<path:name>/audit/", judge.audit_now, name="judge_audit"),
    path(f"{PROJECT}judges/of/<path:name>/try/", judge.try_now, name="judge_try"),
    path(f"{PROJECT}judges/of/<path:name>/", judge.judge, name="judge"),
    path(f"{PROJECT}judges/run/", judges.run, name="judge_run"),
    path(f"{PROJECT}judges/runs/<row:pk>/", judges.run_detail, name="run"),
    path(f"{PROJECT}judges/runs/<row:pk>/<slug:verb>/", judges.steer, name="run_steer"),
    path(f"{PROJECT}routing/", routing.routing, name="routing"),
    path(f"{PROJECT}routing/start/", routing.start, name="route_start"),
    path(f"{PROJECT}routing/back/", routing.back, name="route_back"),
    path(f"{PROJECT}quality/", quality.quality, name="quality"),
    path(f"{PROJECT}exports/", exports.exports, name="exports"),
    path(f"{PROJECT}exports/compare/", exports.comparison, name="comparison"),
    path(f"{PROJECT}exports/download/", exports.download, name="download"),
    path(f"{PROJECT}exports/snapshot/", exports.snapshot, name="snapshot"),
    path(f"{PROJECT}people/", people.people, name="people"),
    path(f"{PROJECT}people/<row:pk>/role/", people.role, name="member_role"),
    path(f"{PROJECT}people/<row:pk>/status/", people.status, name="member_status"),
    path(f"{PROJECT}settings/", settings.settings, name="settings"),
    path(f"{PROJECT}settings/aspects/new/", settings.new_aspect, name="aspect_new"),
    path(f"{PROJECT}settings/aspects/<row:pk>/", settings.aspect, name="aspect"),
    path(f"{PROJECT}settings/guidelines/", settings.guidelines, name="guidelines"),
    path(f"{PROJECT}settings/guidelines/<row:number>/", settings.guideline_version, name="guideline_version"),
    path(f"{PROJECT}settings/distribution/", distribution.distribution, name="distribution"),
    path(f"{PROJECT}settings/distribution/members/<row:pk>/", distribution.member_work, name="member_work"),
    path(
        f"{PROJECT}settings/distribution/notices/<row:pk>/seen/", distribution.notice_seen, name="notice_seen"
    ),
    path(f"{PROJECT}settings/archive/", settings.archive, name="archive"),
    path(f"{PROJECT}settings/unarchive/", settings.unarchive, name="unarchive"),
    path("account/", account.account, name="account"),
    path("account/tokens/", account.new_token, name="token_new"),
    path("account/tokens/<row:pk>/revoke/", account.drop_token, name="token_drop"),
]
