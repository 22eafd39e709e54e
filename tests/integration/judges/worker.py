"""A judge worker on the tests' own database: `python worker.py DATABASE QUEUE`."""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

from django.conf import settings

settings.DATABASES["default"]["NAME"] = sys.argv[1]

from config.celery import app  # noqa: E402  (after the database is named)

app.worker_main(["worker", "-Q", sys.argv[2], "-c", "1", "-l", "WARNING", "-n", f"test{os.getpid()}@%h"])
