"""The embedded services as their users see them: separate processes that come, go and crash."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from config import embedded
from config.embedded import postgres, redis
from config.embedded.places import place_of

ROOT = Path(__file__).resolve().parents[3]
IS_ROOT = os.geteuid() == 0

# Starts (or finds) the services of a home, says so, and holds them until its input closes.
HOLDER = """
import sys
from pathlib import Path
from config import embedded
found = embedded.services(Path(sys.argv[1]))
print(found.database["HOST"], flush=True)
sys.stdin.read()
"""


def open_holder(home: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the service user can reach; pytest's own folders are closed to it."""
    with tempfile.TemporaryDirectory(prefix="switchyard-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"
        embedded.stop_now(Path(folder) / "home")


@pytest.fixture
def hold(home: Path) -> Iterator[Callable[[], subprocess.Popen]]:
    """`hold()` is a process that uses the services of `home`, started and ready."""
    made: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        made.append(open_holder(home))
        assert made[-1].stdout.readline().strip()
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.communicate()


def up(home: Path) -> bool:
    return all(embedded.running(home).values())


def down(home: Path) -> bool:
    return not any(embedded.running(home).values())


def query(home: Path, words: str) -> str:
    with postgres.connect(place_of(home), database="switchyard") as server:
        return server.execute(words).fetchone()[0]


def test_a_fresh_home_serves_postgresql_18_durably(home, hold):
    hold()
    assert query(home, "SELECT current_setting('server_version')") == "18.4"
    assert query(home, "SELECT current_setting('fsync')") == "on"
    assert query(home, "SELECT current_setting('synchronous_commit')") == "on"
    assert query(home, "SELECT current_setting('listen_addresses')") == ""
    assert query(home, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,A,a,é,B}'::text[]) x") == "ABabé"


def test_the_last_one_to_leave_stops_them(home, hold):
    first, second = hold(), hold()
    first.communicate()
    assert up(home), "the second still needs them"
    second.communicate()
    assert down(home)


def test_a_killed_holder_leaves_nothing_running(home, hold):
    process = hold()
    process.kill()
    wait_until(lambda: down(home))


def test_six_at_once_start_one_set(home):
    made = [open_holder(home) for _ in range(6)]
    try:
        assert len({process.stdout.readline() for process in made}) == 1
        assert up(home)
    finally:
        for process in made:
            process.communicate()
    assert [process.returncode for process in made] == [0] * 6
    assert down(home)


def test_a_crash_loses_no_commit(home, hold):
    process = hold()
    with postgres.connect(place_of(home), database="switchyard") as server:
        server.execute("CREATE TABLE kept (n int)")
        server.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    os.kill(server_pid(home), signal.SIGKILL)
    process.kill()
    wait_until(lambda: down(home))
    hold()
    assert query(home, "SELECT count(*) FROM kept") == 1000


def test_a_stale_pid_file_of_a_reused_process_id_is_ignored(home, hold):
    hold().communicate()
    bystander = subprocess.Popen(["sleep", "60"], user=place_of(home).user.pw_uid if IS_ROOT else None)
    try:
        pid_file = postgres.data_folder(place_of(home)) / "postmaster.pid"
        pid_file.write_text(f"{bystander.pid}\n{pid_file.parent}\n")
        if IS_ROOT:
            os.chown(pid_file, place_of(home).user.pw_uid, -1)
        hold()
        assert up(home)
    finally:
        bystander.kill()
        bystander.wait()


def server_pid(home: Path) -> int:
    return int((postgres.data_folder(place_of(home)) / "postmaster.pid").read_text().split()[0])


def test_sockets_are_private(home, hold):
    hold()
    place = place_of(home)
    assert place.sockets.stat().st_mode & 0o777 == 0o700
    assert postgres.data_folder(place).stat().st_mode & 0o777 == 0o700
    assert (place.sockets / "redis.sock").stat().st_mode & 0o777 == 0o700


def test_a_role_without_the_owners_name_is_refused(home, hold):
    hold()
    with pytest.raises(psycopg.OperationalError, match="[Pp]eer authentication failed"):
        psycopg.connect(host=str(place_of(home).sockets), user="postgres", dbname="switchyard")


def test_a_long_home_gets_a_short_socket_path(tmp_path, monkeypatch):
    home = tmp_path / ("long" * 40)
    place = place_of(home)
    assert len(os.fsencode(redis.socket_path(place))) < 104
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert place.sockets == place_of(home).sockets, "whatever the caller's temporary folder"
    assert place.sockets != place_of(tmp_path / ("long" * 41)).sockets


@pytest.mark.skipif(not IS_ROOT, reason="only root hands the services to another user")
def test_a_home_that_the_service_user_cannot_reach_is_served_from_elsewhere(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "a home"
    process = open_holder(home)
    assert process.stdout.readline().startswith("/var/lib/switchyard/")
    elsewhere = place_of(home).root
    assert up(home)
    process.communicate()
    assert down(home)
    assert place_of(home).root == elsewhere, "the home remembers where its data are"
    shutil.rmtree(elsewhere)


@pytest.mark.skipif(not IS_ROOT, reason="only root hands the services to another user")
def test_data_that_became_unreachable_are_not_replaced_by_empty_ones(tmp_path):
    (tmp_path / "home" / "services").mkdir(parents=True)
    tmp_path.chmod(0o700)
    with pytest.raises(embedded.EmbeddedError, match="a folder above is closed to nobody: open it"):
        _ = place_of(tmp_path / "home").root


def test_an_owner_other_than_ours_is_refused_by_name(tmp_path):
    if not IS_ROOT:
        pytest.skip("only root can give a folder away")
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(
        embedded.EmbeddedError, match="belongs to nobody; run as nobody, or set SWITCHYARD_HOME"
    ):
        place_of(tmp_path)
    os.chown(tmp_path, 0, 0)


def test_the_secret_key_is_made_once_and_kept_private(tmp_path):
    key = embedded.secret_key(tmp_path)
    assert len(key) > 50
    assert embedded.secret_key(tmp_path) == key
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_given_urls_start_nothing(tmp_path):
    found = embedded.services(
        tmp_path / "unused", database_url="postgres://me:pw@db:5433/yard", redis_url="redis://cache:6379/0"
    )
    assert found.database["HOST"] == "db" and found.database["PORT"] == 5433
    assert (found.redis_url, found.broker_url) == ("redis://cache:6379/0", "redis://cache:6379/0")
    assert not (tmp_path / "unused").exists()


def test_a_lone_command_on_a_fresh_home_finds_its_tables(home):
    around = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    words = ["create_project", "alone", "--template", "multipref", "--json", "-"]
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env={**around, "SWITCHYARD_HOME": str(home)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["project"] == "alone"
    assert down(home)
