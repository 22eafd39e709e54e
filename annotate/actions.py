"""The verbs of human work: open seats, hand one out, take the answers, skip, reclaim."""

from django.db import connection

from ledger.models import Project


def open_seats(project: Project, instance_ids: list[int]) -> None:
    raise NotImplementedError


def reseat_project(project: Project) -> None:
    raise NotImplementedError
