"""The list of projects, and a new one from a template."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Right, allowed, signed_in
from dashboard.forms import NewProjectForm
from ledger.actions import create_project
from ledger.models import Member, Project
from ledger.templates import TEMPLATES
from web.problems import Conflict, NotAllowed

PAGE = 30


def projects(request: HttpRequest) -> HttpResponse:
    """The caller's projects: search by name, the archived ones apart."""
    user = signed_in(request.user)
    text, archived = request.GET.get("q", "").strip(), "archived" in request.GET
    found = searched(Project.objects.visible_to(user).filter(archived__isnull=not archived), text)
    shown = Paginator(found.order_by("-created", "-pk"), PAGE).get_page(request.GET.get("page"))
    shown.object_list = list(shown.object_list)
    decorate(shown.object_list, user)
    context = {"shown": shown, "q": text, "archived": archived, "may_make": user.is_staff}
    return render(request, "dashboard/projects.html", context)


def searched(found: QuerySet[Project], text: str) -> QuerySet[Project]:
    return found.filter(Q(name__icontains=text) | Q(slug__icontains=text) | Q(description__icontains=text))


def decorate(shown: list[Project], user: User) -> None:
    """Adds to each project its number of instances and what the user may do there, in two queries."""
    ids = [project.pk for project in shown]
    sizes = dict(
        Project.objects.filter(pk__in=ids).annotate(n=Count("instances")).order_by().values_list("pk", "n")
    )
    roles = dict(Member.objects.filter(project__in=ids, user=user).values_list("project", "role"))
    for project in shown:
        role = roles.get(project.pk)
        project.size = sizes[project.pk]  # type: ignore[attr-defined]
        project.role = role  # type: ignore[attr-defined]
        project.may_review = allowed(user, role, Right.REVIEW)  # type: ignore[attr-defined]


def new_project(request: HttpRequest) -> HttpResponse:
    """A form for a new project; staff alone may make one."""
    user = signed_in(request.user)
    if not user.is_staff:
        raise NotAllowed("You may not make projects: ask an administrator of this server.")
    form = NewProjectForm(request.POST or None)
    if form.is_valid():
        try:
            project = create_project(owner=user, **form.cleaned_data)
        except Conflict as problem:
            form.add_error("slug", problem.detail)
        else:
            messages.success(request, _("%s is there. Import some data next.") % project.name)
            return redirect("dashboard:overview", slug=project.slug)
    return render(
        request, "dashboard/project_new.html", {"form": form, "project_templates": TEMPLATES.values()}
    )
