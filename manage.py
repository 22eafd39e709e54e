#!/usr/bin/env python
"""The door to every management command."""

import os
import sys

from django.core.management import execute_from_command_line

from config.embedded import EmbeddedError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
