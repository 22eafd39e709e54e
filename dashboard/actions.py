"""The dashboard's own verbs: what no app below owns."""

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.models import Token, User
from accounts.rights import Role
from dashboard.models import Upload
from ledger.actions import add_member
from ledger.imports import AUTO
from ledger.imports.load import Report, import_stream
from ledger.models import Aspect, Label, Member, Project
from web.problems import Conflict, Invalid, Problem, TooLarge

REPORTED_LINES = 200  # bad lines that a report keeps; the rest is counted

# ---------------------------------------------------------------- the project


def describe_project(project: Project, *, name: str, description: str) -> Project:
    """Sets what people read about the project."""
    project.name, project.description = name, description
    project.save(update_fields=["name", "description"])
    return project


def set_prices(project: Project, *, hourly_pay: float | None, currency: str) -> Project:
    """Sets what a person's hour costs, in which currency; empty takes the default again."""
    given = {"hourly_pay": hourly_pay, "currency": currency or None}
    kept = {name: value for name, value in project.settings.items() if name not in given}
    project.settings = kept | {name: value for name, value in given.items() if value is not None}
    project.save(update_fields=["settings"])
    return project


def describe_aspect(aspect: Aspect, *, title: str, description: str, required: bool) -> Aspect:
    """Sets how an aspect is worded; its task type and scale have an action of their own."""
    aspect.title, aspect.description, aspect.required = title, description, required
    aspect.save(update_fields=["title", "description", "required"])
    return aspect


def rescale_aspect(aspect: Aspect, *, task_type: str, given: dict[str, Any]) -> Aspect:
    """Sets task type and scale of an aspect that nobody has labelled. Raises `Conflict`, `InvalidSettings`.

    Lock: the project's row, which imports take too, so that no label slips in between.
    """
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=aspect.project_id)
        if Label.objects.filter(project=aspect.project_id, aspect=aspect).exists():
            raise Conflict(f"{aspect} has labels: its task type and scale are frozen.", aspect=aspect.name)
        aspect.task_type = task_type
        aspect.settings = aspect.task.settings(given)
        aspect.save(update_fields=["task_type", "settings"])
    return aspect


# ---------------------------------------------------------------- people


@dataclass(frozen=True)
class Invitation:
    """A new member and the way in: a link that sets a password, for an account that has none."""

    member: Member
    link: str
    mailed: bool


def invite(project: Project, *, email: str, role: Role, host: str) -> Invitation:
    """Makes someone a member and mails them the way in. `host`: scheme and host of this site.

    Raises `Invalid`. The link is given back as well, unless it would open an account that holds more than
    this project: then only the mail has it, and what is given back is the front door.
    """
    member = add_member(project, email=email, role=role)
    link = host + way_in(member.user)
    text = render_to_string("dashboard/invitation.txt", {"project": project, "link": link, "member": member})
    send_mail(f"{project.name}: you are invited", text, None, [member.user.email])
    mailed = not settings.EMAIL_BACKEND.endswith("console.EmailBackend")
    return Invitation(member, link if new_here(member) else host + reverse("home"), mailed)


def way_in(user: User) -> str:
    """The path where an account without a password sets one; for others, the front door."""
    if user.has_usable_password():
        return reverse("home")
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    return reverse("accounts:password_reset_confirm", kwargs={"uidb64": uid, "token": token})


def new_here(member: Member) -> bool:
    """Whether the account opens nothing but this project, so that its admin may hand out the way in."""
    elsewhere = Member.objects.filter(user=member.user_id).exclude(project=member.project_id)
    return not member.user.is_staff and not elsewhere.exists()


def change_role(member: Member, role: Role) -> Member:
    """Gives a member another role. Raises `Conflict` for the owner, and for owner as the new role."""
    if Role.OWNER in (member.role, role):
        raise Conflict("A project has one owner, who keeps that role.")
    member.role = role
    member.save(update_fields=["role"])
    return member


def rename_user(user: User, name: str) -> User:
    """Sets the name that others see."""
    user.name = name
    user.save(update_fields=["name"])
    return user


def revoke_token(user: User, token_id: int) -> None:
    """Ends one of the user's own tokens; another's is left alone."""
    Token.objects.filter(user=user, pk=token_id).delete()


# ---------------------------------------------------------------- uploads


def receive_upload(project: Project, file: UploadedFile, *, author: User) -> Upload:
    """Keeps an uploaded file to be looked at. Raises `TooLarge`, `Invalid`."""
    if (file.size or 0) > settings.UPLOAD_LIMIT_BYTES:
        limit = settings.UPLOAD_LIMIT_BYTES / 1024**2
        raise TooLarge(
            f"{file.name} is larger than {limit:,.0f} MB. Use the command import_instances instead."
        )
    if not file.size:
        raise Invalid(f"{file.name} is empty.")
    name = Path(file.name or "upload").name[-200:]
    return Upload.objects.create(project=project, author=author, file=file, name=name, size=file.size)


def start_upload(upload: Upload, *, inline: bool) -> Upload:
    """Imports now (`inline`), or has a worker do it. Raises `Conflict` where it was started already.

    Lock: the upload's row, so that two clicks are one import.
    """
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=upload.pk)
        if locked.status != Upload.Status.UPLOADED:
            raise Conflict(f"{upload.name} was imported already.")
        locked.status = Upload.Status.QUEUED
        locked.save(update_fields=["status"])
        if not inline:
            enqueue(locked)
    return run_upload(locked) if inline else locked


def enqueue(upload: Upload) -> None:
    """Has a worker import the file once this transaction commits; by name, since tasks stand above actions."""
    transaction.on_commit(lambda: current_app.send_task("dashboard.tasks.import_upload", args=[upload.pk]))


def run_upload(upload: Upload) -> Upload:
    """Imports the file and keeps the report; safe to repeat, since known instances count as duplicates."""
    upload.status = Upload.Status.RUNNING
    upload.save(update_fields=["status"])
    try:
        with open(upload.file.path, "rb", buffering=0) as raw:
            stream = io.BufferedReader(Watched(raw, upload))
            report = import_stream(upload.project, stream, name=upload.name, schema=AUTO)
    except Problem as problem:
        return end_upload(upload, Upload.Status.FAILED, problem=problem.detail)
    return end_upload(upload, Upload.Status.DONE, report=report)


def end_upload(
    upload: Upload, status: Upload.Status, *, report: Report | None = None, problem: str = ""
) -> Upload:
    """Keeps the outcome and drops the file, which is in the ledger now or of no use."""
    upload.status, upload.problem, upload.ended = status, problem, timezone.now()
    if report is not None:
        upload.bad_lines = len(report.errors)
        upload.report = {**report.as_dict(), "errors": report.errors[:REPORTED_LINES]}
    upload.file.delete(save=False)
    upload.save()
    return upload


def progress_key(upload: Upload) -> str:
    return f"dashboard:upload:{upload.pk}:bytes"


def bytes_read(upload: Upload) -> int:
    """How far a running import has read."""
    return cache.get(progress_key(upload), 0)


class Watched(io.RawIOBase):
    """A file that tells the cache, twice a second, how far it has been read."""

    def __init__(self, raw: io.FileIO, upload: Upload) -> None:
        self.raw, self.upload, self.told = raw, upload, 0.0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.raw.seek(offset, whence)

    def tell(self) -> int:
        return self.raw.tell()

    def readinto(self, buffer: Any) -> int | None:
        count = self.raw.readinto(buffer)
        if time.monotonic() - self.told > 0.5:
            self.told = time.monotonic()
            cache.set(progress_key(self.upload), self.raw.tell(), 3600)
        return count
