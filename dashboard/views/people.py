"""Who works in a project: invite, give a role, pause, remove, bring back; how each is doing."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.rights import Right, Role
from dashboard.actions import change_role, invite
from dashboard.doors import address, page, within
from dashboard.forms import GIVEN_ROLES, InviteForm
from dashboard.people import imported_people, members_of
from ledger.access import Place
from ledger.actions import set_member_status
from ledger.models import Member
from web.problems import Invalid, NotFound

LINK = "invitation"  # the session's key: the link is shown once


@within(Right.MANAGE)
def people(request: HttpRequest, place: Place) -> HttpResponse:
    """The members with their progress; below them the form that invites."""
    form = InviteForm(request.POST or None)
    if form.is_valid() and invited(request, place, form):
        return redirect(address(place, "people"))
    context = {
        "form": form,
        "people": members_of(place.project),
        "imported": imported_people(place.project),
        "roles": GIVEN_ROLES,
        "invitation": request.session.pop(LINK, None),
    }
    return page(
        request, place, "dashboard/people.html", context, tab="people", status=422 if form.errors else 200
    )


def invited(request: HttpRequest, place: Place, form: InviteForm) -> bool:
    """Whether the invitation went out; the form says why not."""
    email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
    try:
        made = invite(place.project, email=email, role=role, host=f"{request.scheme}://{request.get_host()}")
    except Invalid as problem:
        form.add_error("email", problem.detail)
        return False
    request.session[LINK] = {"email": made.member.user.email, "link": made.link, "mailed": made.mailed}
    return True


def member_of(place: Place, pk: int) -> Member:
    member = place.project.members.select_related("user").filter(pk=pk).first()
    if member is None:
        raise NotFound(f"{place.project.slug} has no member {pk}.")
    return member


@require_POST
@within(Right.MANAGE)
def role(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    member = member_of(place, pk)
    if request.POST.get("role") not in dict(GIVEN_ROLES):
        raise Invalid("Choose annotator, reviewer or admin.")
    change_role(member, Role(request.POST["role"]))
    messages.success(
        request, _("%(who)s: %(role)s.") % {"who": member.user, "role": member.get_role_display()}
    )
    return redirect(address(place, "people"))


SAID = {
    Member.Status.ACTIVE: gettext_lazy("%s works again."),
    Member.Status.PAUSED: gettext_lazy("%s is paused."),
    Member.Status.REMOVED: gettext_lazy("%s is removed; the labels stay."),
}


@require_POST
@within(Right.MANAGE)
def status(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """Pauses with a reason, removes, or brings back."""
    member = member_of(place, pk)
    wanted = request.POST.get("status")
    if wanted not in Member.Status.values:
        raise Invalid("Choose active, paused or removed.")
    set_member_status(member, Member.Status(wanted), reason=request.POST.get("reason", "")[:300])
    messages.success(request, SAID[Member.Status(wanted)] % member.user)
    return redirect(address(place, "people"))
