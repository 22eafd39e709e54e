from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.actions import issue_token
from ledger.access import find_project
from ledger.actions import add_member
from web.problems import Problem


class Command(BaseCommand):
    help = "Make someone an annotator of a project and print a new bearer token; older ones stay valid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                member = add_member(find_project(options["slug"]), email=options["email"])
                secret = issue_token(member.user.email, name=options["slug"])
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self.stdout.write(secret)
