"""How the work is handed out: settings, what admins were told, and each member's standing, quota and skills."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.rights import Right
from annotate.models import Standing
from annotate.notices import see_notice, unseen_notices
from annotate.skills import skills_of
from annotate.standing import standings_by_rater
from dashboard.distribution import DistributionForm, MemberWorkForm, flatten
from dashboard.doors import address, page, within
from ledger.access import Place
from ledger.models import Member, Rater
from ledger.project_settings import InvalidSetting, change_member_settings, change_settings
from web.problems import NotFound

SECTIONS = (
    (gettext_lazy("Pace"), ("lease_seconds", "quota__daily", "quota__total")),
    (gettext_lazy("How many people"), ("overlap__min", "overlap__max", "overlap__stop", "finish_first")),
    (gettext_lazy("Checks"), ("gold__rate", "gold__threshold", "gold__after", "probes__rate", "probes__gap")),
    (gettext_lazy("Skills"), ("groups", "skill_rules")),
    (gettext_lazy("Before the first instance"), ("onboarding",)),
)


@dataclass(frozen=True, slots=True)
class Worker:
    """A member who labels, with how they do and what they may be given."""

    member: Member
    standing: Standing | None
    skills: list[str]


@within(Right.MANAGE)
def distribution(request: HttpRequest, place: Place) -> HttpResponse:
    """The settings; beside them notices and members."""
    form = DistributionForm(request.POST or None, initial=flatten(DistributionForm, place.project.settings))
    if form.is_valid() and saved(place, form):
        messages.success(request, _("Saved; open work follows at once."))
        return redirect(address(place, "distribution"))
    context = {
        "form": form,
        "sections": [
            (title, [field for field in form if field.name.startswith(names)]) for title, names in SECTIONS
        ],
        "notices": unseen_notices(place.project),
        "workers": workers_of(place),
    }
    status = 422 if form.errors else 200
    return page(request, place, "dashboard/distribution.html", context, tab="settings", status=status)


def saved(place: Place, form: DistributionForm) -> bool:
    """Whether the settings were taken; the form says why not."""
    try:
        change_settings(place.project, form.changes)
    except InvalidSetting as problem:
        form.refuse(problem)
        return False
    return True


def workers_of(place: Place) -> list[Worker]:
    """The members in order of joining, those who were removed left out."""
    standings = standings_by_rater(place.project.pk)
    people = Rater.objects.people().filter(project=place.project, user__isnull=False)
    raters = dict(people.values_list("user_id", "pk"))
    members = place.project.members.exclude(status=Member.Status.REMOVED).select_related("user")
    return [
        Worker(each, standings.get(raters.get(each.user_id, 0)), sorted(skills_of(place.project, each)))
        for each in members.order_by("joined", "pk")
    ]


@within(Right.MANAGE)
def member_work(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """One member's own quota, skills and groups."""
    member = place.project.members.select_related("user").filter(pk=pk).first()
    if member is None:
        raise NotFound(f"{place.project.slug} has no member {pk}.")
    form = MemberWorkForm(request.POST or None, initial=flatten(MemberWorkForm, member.settings))
    if form.is_valid():
        with transaction.atomic():
            change_member_settings(member, form.changes())
        messages.success(request, _("Saved."))
        return redirect(address(place, "distribution"))
    context = {"form": form, "member": member, "groups": place.project.settings.get("groups", {})}
    return page(request, place, "dashboard/member_work.html", context, tab="settings")


@require_POST
@within(Right.MANAGE)
def notice_seen(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """Puts a notice away, and goes back to where it was read."""
    see_notice(place.project, pk, at=timezone.now())
    read_at = "overview" if request.POST.get("from") == "overview" else "distribution"
    return redirect(address(place, read_at))
