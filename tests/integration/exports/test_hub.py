"""Pushing to a hub: the real client library in a process of its own, real HTTP, a hub on this machine."""

import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from exports.readback import read_export
from tests.integration.exports.hub_server import hub_at_home
from tests.integration.exports.made_rows import votes
from tests.integration.exports.test_snapshots import HERE, ROOT

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "hf_switchyard"


@pytest.fixture
def hub():
    with hub_at_home(TOKEN) as found:
        yield found


@pytest.fixture
def push(tmp_path, hub):
    """`push(*words)` runs `export pushed --format trl-preference … --push me/set` against the hub."""

    def run(*words, token=TOKEN, endpoint=None, name="me/set"):
        surroundings = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "HF_ENDPOINT": endpoint or hub.address,
            "HF_HOME": str(tmp_path / "hf"),
            "HF_HUB_DISABLE_XET": "1",  # the storage protocol of the public hub; the open one is spoken here
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
        }
        surroundings.pop("HF_TOKEN", None)
        if token:
            surroundings["HF_TOKEN"] = token
        call = [
            "export",
            "pushed",
            "--format",
            "trl-preference",
            "--output",
            f"{tmp_path}/set/",
            "--push",
            name,
        ]
        return subprocess.run(
            [sys.executable, "-c", HERE, connection.settings_dict["NAME"], *call, *words, "--json", "-"],
            cwd=ROOT,
            env=surroundings,
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run


def test_a_folder_arrives_byte_for_byte_and_again_without_leftovers(project_of, hub, push, tmp_path):
    project_of(votes(), slug="pushed")
    done = push("--splits", "train=0.5,test=0.5")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["pushed"].startswith(f"{hub.address}/datasets/me/set/commit/")
    assert hub.private == {"me/set": True}
    folder = tmp_path / "set"
    local = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert hub.repos["me/set"] == local
    assert {"README.md", "manifest.json", "data/train-00000.parquet", "data/test-00000.parquet"} == set(local)
    arrived = tmp_path / "arrived" / "data"
    arrived.mkdir(parents=True)
    for name, data in hub.repos["me/set"].items():
        if name.startswith("data/"):
            (tmp_path / "arrived" / name).write_bytes(data)
    assert len(list(read_export(tmp_path / "arrived"))) == report["rows"] == 10

    again = push()  # one split now: the old ones' files go
    assert again.returncode == 0, again.stderr
    assert set(hub.repos["me/set"]) == {"README.md", "manifest.json", "data/train-00000.parquet"}
    assert len(hub.commits) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token": None}, "No token is set: HF_TOKEN, or `hf auth login`."),
        ({"token": "hf_other"}, "The hub did not take 'me/set': "),
        ({"name": "no such name!"}, "The hub did not take 'no such name!': "),
        ({"endpoint": "http://127.0.0.1:9"}, "The hub did not take 'me/set': "),
    ],
)
def test_what_the_hub_refuses_is_said(given, said, project_of, hub, push):
    project_of(votes(), slug="pushed")
    done = push(**given)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert hub.repos == {}
