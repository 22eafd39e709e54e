"""What a project's admins are told: a row on the dashboard, and a mail."""

from datetime import datetime
from typing import Any

from django.core.mail import send_mail
from django.db.models import QuerySet

from accounts.rights import ROLE_RIGHTS, Right
from annotate.models import Notice
from ledger.models import Member, Project


def tell_admins(
    project: Project, *, kind: Notice.Kind, text: str, member: Member | None, facts: dict[str, Any]
) -> Notice:
    """A new notice; a receiver mails it once the transaction is through."""
    return Notice.objects.create(project=project, kind=kind, text=text[:500], member=member, facts=facts)


def unseen_notices(project: Project) -> QuerySet[Notice]:
    """What no admin has put away yet, the latest first, with the member and their account."""
    return Notice.objects.unseen().filter(project=project).select_related("member__user")


def see_notice(project: Project, notice_id: int, *, at: datetime) -> None:
    """Puts a notice away. Twice equals once."""
    Notice.objects.unseen().filter(project=project, pk=notice_id).update(seen=at)


def send_notice(notice: Notice) -> int:
    """Mails a notice to those who manage its project; how many they are."""
    managing = [role for role, rights in ROLE_RIGHTS.items() if Right.MANAGE in rights]
    members = Member.objects.filter(project=notice.project, role__in=managing, status=Member.Status.ACTIVE)
    addresses = list(members.values_list("user__email", flat=True))
    for address in addresses:
        send_mail(f"{notice.project.name}: {notice.get_kind_display()}", notice.text, None, [address])
    return len(addresses)
