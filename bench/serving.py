"""What the benches over HTTP share: Django on an embedded database in a scratch folder, and a server of their own.

Importing it sets Django up (`SWITCHYARD_HOME` names a folder to be used again), so import it before any model.
"""

import http.client
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = os.environ.setdefault("SWITCHYARD_HOME", tempfile.mkdtemp(prefix="switchyard-bench-"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.core.management import call_command

from accounts.models import User

PATIENCE = 200  # tenths of a second until a server must answer


def make_owner() -> User:
    """The schema as it is now, and a superuser in it."""
    call_command("migrate", verbosity=0)
    return User.objects.by_email("owner@load.local") or User.objects.create_superuser("owner@load.local")


def start_server(port: int, application: str = "config.wsgi:application") -> subprocess.Popen:
    """Two web processes of four threads each, once they answer."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "2"]
    server = subprocess.Popen(
        [*command, "--blocking-threads", "4", "--log-level", "error", application], cwd=ROOT
    )
    for _ in range(PATIENCE):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).request("GET", "/healthz")
            return server
        except OSError:
            time.sleep(0.1)
    server.terminate()
    raise SystemExit("the server did not start")


def quantile(times: list[float], share: float) -> float:
    """The value below which this share of the sorted times lies."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]
