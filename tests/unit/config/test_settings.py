"""The settings: each documented, each read in one place."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
APPS = "config dashboard exports routing annotate judges quality ledger accounts web".split()
READS = re.compile(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"")
DOCUMENTED = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


def test_every_variable_is_documented_and_every_documented_one_is_read():
    read = set(READS.findall((ROOT / "config" / "settings.py").read_text()))
    documented = set(DOCUMENTED.findall((ROOT / "docs" / "operations.md").read_text()))
    assert len(read) > 20
    assert read == documented


@pytest.mark.parametrize("app", APPS)
def test_only_the_settings_read_the_environment(app):
    pattern = re.compile(r"os\.(?:environ(?!\.setdefault\(\"DJANGO_SETTINGS_MODULE\")|getenv)|environ\.Env\(")
    readers = [path for path in (ROOT / app).rglob("*.py") if pattern.search(path.read_text())]
    allowed = [ROOT / "config" / "settings.py"] if app == "config" else []
    assert readers == allowed


def test_the_compose_file_passes_only_known_settings():
    documented = set(DOCUMENTED.findall((ROOT / "docs" / "operations.md").read_text()))
    text = (ROOT / "docker-compose.yml").read_text()
    environment = text.split("environment: &environment")[1].split("volumes:")[0]
    assert set(re.findall(r"^    ([A-Z_]+):", environment, re.MULTILINE)) <= documented
