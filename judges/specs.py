"""Judges by name: a project's own first, then those that ship; and adding one of its own."""

from __future__ import annotations

import re
from dataclasses import replace

from accounts.models import User
from judges.backends import BACKENDS
from judges.catalog import CATALOG, JudgeSpec, as_json, from_json
from judges.keys import sealed
from judges.methods import METHODS
from judges.models import Endpoint, Judge
from ledger.models import Project
from web.problems import Conflict, Invalid
from web.registry import unknown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/ -]{0,119}")


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


def set_endpoint(
    *, project: Project, name: str, url: str, key: str | None = None, **settings: object
) -> Endpoint:
    """The project's endpoint of this name, made or changed; a key of None leaves the stored one."""
    values = {"url": url, **settings}
    if key is not None:
        values["key"] = sealed(key)
    return Endpoint.objects.update_or_create(project=project, name=name, defaults=values)[0]


def for_all_tasks(spec: JudgeSpec) -> JudgeSpec:
    """The spec with its one method asking every task type that it can."""
    (method,) = {one.name: one for one in spec.methods.values()}.values()
    kinds = METHODS.load(method.name)(**method.parameters).task_types
    return replace(spec, methods=dict.fromkeys(sorted(kinds), method))
