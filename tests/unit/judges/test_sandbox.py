"""The sandbox: what runs, what is refused, and that nothing outside can be reached."""

import platform
import time
from pathlib import Path

import pytest

from judges.backends.checks import ChecksBackend, code_of, json_in, number_in, stated
from judges.backends.sandbox import Ran, run_tests
from judges.requests import Checked, CheckRequest

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="THE SANDBOX IS LINUX'S")


def ran(code, test="pass", seconds=2.0):
    return run_tests(code, [test], seconds=seconds, megabytes=512)


@pytest.mark.parametrize(
    ("code", "test"),
    [
        ("def f(x): return x + 1", "assert f(1) == 2"),
        ("import json, re, math, itertools, collections", "assert math.pi"),
        ("import numpy", "assert numpy.ones(3).sum() == 3"),
        ("open('note', 'w').write('x')", "assert open('note').read() == 'x'"),
        ("import threading; t = threading.Thread(target=print); t.start(); t.join()", "pass"),
    ],
)
def test_honest_code_runs(code, test):
    assert ran(code, test).passed == (True,)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import socket; socket.socket()", "PermissionError"),
        ("import socket; socket.create_connection(('127.0.0.1', 80), 1)", "PermissionError"),
        ("import subprocess; subprocess.run(['ls'])", "PermissionError"),
        ("import os; os.system('true') and 1/0", "ZeroDivisionError"),
        ("import os; os.fork()", "PermissionError"),
        ("import os; os.kill(os.getppid(), 9)", "PermissionError"),
        (f"open({str(ROOT / 'manage.py')!r}).read()", "PermissionError"),
        ("open('/etc/passwd').read()", "PermissionError"),
        ("open('/tmp/left-behind', 'w').write('x')", "PermissionError"),
        ("import os; os.listdir('/proc/1')", "PermissionError"),
        ("open('big', 'w').write('x' * 10**7)", "File too large"),
        ("x = bytearray(10**9)", "MemoryError"),
        ("import ctypes; ctypes.CDLL(None).unshare(0x10000000) and 1/0", "ZeroDivisionError"),
    ],
)
def test_what_reaches_beyond_is_refused(code, said):
    one = ran(code)
    assert one.passed == (False,)
    assert said in one.seen
    assert not Path("/tmp/left-behind").exists()


def test_endless_code_is_stopped_and_leaving_is_no_pass():
    assert ran("while True: pass", seconds=0.5).passed == (False,)
    assert ran("import os; os._exit(0)").seen == "the process ended without a report"
    assert ran("raise SystemExit(0)").passed == (False,)


@pytest.mark.parametrize(
    "write", ["open(str(i), 'w').write('x' * 2**19)", "open(str(i), 'w').close()", "os.makedirs(f'{i}/a/b')"]
)
def test_code_that_fills_the_disk_is_stopped(write):
    """No single file is too large; all of them together are, or are too many."""
    code = f"import itertools, os\nfor i in itertools.count():\n    {write}\n"
    before = time.monotonic()
    one = ran(code, seconds=20.0)
    assert one == Ran((False,), "stopped: too many or too large files")
    assert time.monotonic() - before < 15


def test_each_test_runs_alone_so_that_none_hides_another():
    result = run_tests(
        "state = []", ["state.append(1)", "assert not state", "assert 0"], seconds=2, megabytes=256
    )
    assert result.passed == (True, True, False)


def checked(kind, response, **facts):
    import json

    facts = {"seconds": 2, "megabytes": 256, "tolerance": 1e-6, **facts}
    return ChecksBackend().answer([CheckRequest(kind, response, json.dumps(facts))])[0]


@pytest.mark.parametrize(
    ("kind", "response", "facts", "share"),
    [
        ("unit_tests", "```python\ndef f(): return 1\n```", {"tests": ["assert f() == 1", "assert f() == 2"]}, 0.5),
        ("numeric", "So the answer is 1,234.50 dollars.", {"answer": "1234.5"}, 1.0),
        ("numeric", "We get \\boxed{3/4}", {"answer": "0.75"}, 1.0),
        ("numeric", "About 7. #### 8", {"answer": "7"}, 0.0),
        ("exact", "Answer: Paris.", {"answer": "paris"}, 1.0),
        ("exact", "It is Lyon", {"answer": "Paris"}, 0.0),
        ("json_schema", 'Here: {"a": 1}', {"schema": {"type": "object", "required": ["a"]}}, 1.0),
        ("json_schema", '{"a": "1"}', {"schema": {"properties": {"a": {"type": "integer"}}}}, 0.0),
        ("json_schema", "none", {"schema": {}}, 0.0),
        ("tool_call", '{"name": "f", "arguments": {"x": 1}}', {"call": {"name": "f", "arguments": {"x": 1}}}, 1.0),
        ("tool_call", '{"name": "f", "arguments": "{}"}', {"call": {"name": "f", "arguments": {"x": 1}}}, 0.5),
    ],
)  # fmt: skip
def test_checks(kind, response, facts, share):
    answer = checked(kind, response, **facts)
    assert isinstance(answer, Checked)
    assert answer.share == share


def test_reading_answers():
    assert code_of("a\n```js\nx\n```\n```py\ny\n```") == "y\n"
    assert code_of("print(1)") == "print(1)"
    assert stated("I thought 4.\nThe final answer is: 12") == "12"
    assert number_in("5 %") == 5.0
    assert number_in("5%") == 0.05
    assert number_in("none") is None
    assert json_in("[1, 2") == (None, False)
