"""Judges by name: a project's own first, then those that ship; and adding one of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from accounts.models import User
from judges.backends import BACKENDS
from judges.backends.addresses import refuse_at_sight
from judges.catalog import CATALOG, JudgeSpec, as_json, from_json
from judges.keys import sealed
from judges.loading import READS_FILES
from judges.methods import METHODS
from judges.models import Endpoint, Judge
from ledger.models import Project
from web.problems import Conflict, Invalid
from web.registry import unknown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/ -]{0,119}")
HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")  # organisation/model


def find_judge(project: Project, name: str) -> JudgeSpec:
    """The judge of this name in the project. Raises `UnknownName` with the nearest names."""
    own = Judge.objects.filter(project=project, name=name).first()
    if own is not None:
        return from_json(own.spec)
    if name not in CATALOG:
        raise unknown("judge", name, judge_names(project))
    return CATALOG[name]


def judge_names(project: Project) -> list[str]:
    """Every name that `find_judge` knows for the project."""
    own = Judge.objects.filter(project=project).order_by("name").values_list("name", flat=True)
    return list(dict.fromkeys([*CATALOG, *own]))


def add_judge(*, project: Project, spec: JudgeSpec, author: User | None) -> Judge:
    """A judge of the project's own. Raises `Invalid`, `Conflict`, `UnknownName`."""
    if not NAME.fullmatch(spec.name):
        raise Invalid(f"{spec.name!r} is no name for a judge.", name=spec.name)
    if spec.name in CATALOG or Judge.objects.filter(project=project, name=spec.name).exists():
        raise Conflict(f"There is a judge {spec.name!r} already.", name=spec.name)
    check_spec(project, spec)
    return Judge.objects.create(project=project, name=spec.name, spec=as_json(spec), author=author)


def check_spec(project: Project, spec: JudgeSpec) -> None:
    """Refuse a spec that could not run: unknown methods, parameters, backends, endpoints, or a role nobody
    plays.
    """
    for backend in spec.backends.values():
        if backend.name not in BACKENDS:
            raise unknown("judge backend", backend.name, BACKENDS.names())
        endpoint = backend.options.get("endpoint")
        if endpoint is not None and not Endpoint.objects.filter(project=project, name=endpoint).exists():
            raise unknown("endpoint", str(endpoint), list(project.endpoints.values_list("name", flat=True)))
    for task_type, wanted in spec.methods.items():
        method_class = METHODS.load(wanted.name)
        try:
            method = method_class(**wanted.parameters)
        except TypeError as error:
            raise Invalid(f"{wanted.name}: {error}.", method=wanted.name) from error
        if task_type not in method.task_types:
            raise Invalid(f"The method {wanted.name!r} cannot ask {task_type}.", method=wanted.name)
        missing = set(method.roles) - set(spec.backends)
        if missing:
            raise Invalid(f"{wanted.name} needs a backend for {sorted(missing)}.", method=wanted.name)


def change_judge(judge: Judge, spec: JudgeSpec) -> Judge:
    """The judge under another spec: its next run is another version. Raises `Invalid`, `UnknownName`.

    What ran before keeps its frozen version.
    """
    check_spec(judge.project, spec)
    judge.spec = as_json(replace(spec, name=judge.name, title=judge.name))
    judge.save(update_fields=["spec"])
    return judge


def drop_judge(judge: Judge) -> None:
    """Take the judge out of the project's list; its labels, runs and audits stay."""
    judge.delete()


def check_open_weights(spec: JudgeSpec) -> None:
    """Refuse weights that only the operator may name: files of this machine outside the models' folder.

    Raises `Invalid`. What a project's admin may name is `bundled:NAME`, ORGANISATION/MODEL of a hub, or a
    path beneath the folder.
    """
    folder = Path(settings.MODELS_DIR).resolve()
    for backend in spec.backends.values():
        model = backend.options.get("model")
        if backend.name not in READS_FILES or not isinstance(model, str) or model.startswith("bundled:"):
            continue
        place = Path(model)
        inside = place.is_absolute() and place.resolve().is_relative_to(folder)
        if not inside and (place.exists() or not HUB.fullmatch(model)):
            raise Invalid(
                f"{model!r} is neither bundled:NAME, nor ORGANISATION/MODEL of a hub, nor beneath the models' "
                "folder; the operator can add others by `add_judge`.",
                model=model,
            )


# ---------------------------------------------------------------- endpoints


def set_endpoint(*, project: Project, name: str, url: str, key: str | None = None, **own: object) -> Endpoint:
    """The project's endpoint of this name, made or changed. Raises `Invalid`, `RefusedAddress`.

    A key of None leaves the stored one, unless the address moves to another server: a key is sent to nobody
    but the server that it was entered for.
    """
    if not NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no name for an endpoint.", name=name)
    refuse_at_sight(url, private_allowed=settings.PRIVATE_ENDPOINTS)
    values: dict[str, object] = {"url": url, **own}
    with transaction.atomic():
        before = Endpoint.objects.select_for_update().filter(project=project, name=name).first()
        if key is not None:
            values["key"] = sealed(key)
        elif before is not None and server_of(before.url) != server_of(url):
            values["key"] = b""
        return Endpoint.objects.update_or_create(project=project, name=name, defaults=values)[0]


def server_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what a key belongs to."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port


def drop_endpoint(endpoint: Endpoint) -> None:
    """Forget the endpoint and its key. Raises `Conflict` while a judge of the project calls it."""
    users = judges_calling(endpoint)
    if users:
        raise Conflict(f"{endpoint.name} is called by {', '.join(users)}.", judges=users)
    endpoint.delete()


def judges_calling(endpoint: Endpoint) -> list[str]:
    """Names of the project's own judges that call the endpoint."""
    own = Judge.objects.filter(project=endpoint.project_id).order_by("name")
    return [one.name for one in own if calls(from_json(one.spec), endpoint.name)]


def calls(spec: JudgeSpec, endpoint: str) -> bool:
    return any(one.options.get("endpoint") == endpoint for one in spec.backends.values())


def for_all_tasks(spec: JudgeSpec) -> JudgeSpec:
    """The spec with its one method asking every task type that it can."""
    (method,) = {one.name: one for one in spec.methods.values()}.values()
    kinds = METHODS.load(method.name)(**method.parameters).task_types
    return replace(spec, methods=dict.fromkeys(sorted(kinds), method))
