from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actions import issue_token
from web.problems import Problem


class Command(BaseCommand):
    help = "Print a new bearer token for a user; older tokens stay valid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="what the token is for")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(issue_token(options["email"], name=options["name"]))
        except Problem as problem:
            raise CommandError(problem.detail) from problem
