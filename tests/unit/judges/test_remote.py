"""The OpenAI-compatible backend against a real server on loopback that answers as it is told."""

import json
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from judges.backends.addresses import PinnedBackend, checked_addresses
from judges.backends.openai_compatible import OpenAICompatibleBackend, retry_after
from judges.items import Message
from judges.keys import opened, sealed
from judges.problems import KeyUnreadable, RefusedAddress
from judges.requests import Failure, GenerateRequest, LabelRequest, LabelScores, Texts

ASK = LabelRequest((Message("user", "A or B?"),), (" A", " B"), prefill="Verdict:")


class Server:
    """Replies in turn with (status, headers, body); the last one again and again. Keeps what it was asked."""

    def __init__(self):
        self.replies, self.asked, self.at_once, self.most = [], [], 0, 0
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    outer.asked.append((time.monotonic(), dict(self.headers), body))
                    outer.at_once += 1
                    outer.most = max(outer.most, outer.at_once)
                    status, headers, reply = outer.replies[min(len(outer.asked), len(outer.replies)) - 1]
                time.sleep(0.02)
                with lock:
                    outer.at_once -= 1
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                data = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"


@pytest.fixture
def server():
    made = Server()
    yield made
    made.http.shutdown()


def backend(server, **options):
    options = {"private_allowed": True, "key": "sk-secret", **options}
    return OpenAICompatibleBackend(url=server.url, model="m", **options)


def said(text="A", top=None, n=1, usage=(100, 1)):
    choice = {"message": {"content": text}}
    if top is not None:
        choice["logprobs"] = {
            "content": [{"top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in top]}]
        }
    counted = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return 200, {}, {"choices": [choice] * n, "usage": counted}


def test_labels_are_read_from_the_top_tokens_and_cost_is_counted(server):
    server.replies = [said(top=[(" A", 0.5), ("A", 0.1), (" B", 0.2), ("The", 0.1)])]
    (answer,) = backend(server, prices={"read": 2.0, "written": 10.0}).answer([ASK])
    assert answer.logprobs == pytest.approx((math.log(0.6), math.log(0.2)))
    assert answer.mass == pytest.approx(0.8)
    assert answer.usage.cost == pytest.approx((100 * 2 + 1 * 10) / 1e6)
    _, headers, body = server.asked[0]
    assert headers["Authorization"] == "Bearer sk-secret"
    assert body["messages"][-1] == {"role": "assistant", "content": "Verdict:"}


def test_labels_that_are_nowhere_near_are_a_failure(server):
    server.replies = [said(top=[("The", 0.9), ("Well", 0.05)])]
    (answer,) = backend(server).answer([ASK])
    assert isinstance(answer, Failure)
    assert "no verdict label" in answer.reason


def test_without_log_probabilities_it_samples(server):
    server.replies = [
        said(),
        (200, {}, {"choices": [{"message": {"content": c}} for c in "AABAAAxB"], "usage": {}}),
    ]
    (answer,) = backend(server).answer([ASK])
    assert isinstance(answer, LabelScores)
    assert answer.sampled == 8
    assert answer.mass == pytest.approx(7 / 8)
    assert answer.logprobs[0] - answer.logprobs[1] == pytest.approx(math.log(5.5 / 2.5))


def test_passing_failures_are_tried_again_and_retry_after_is_honoured(server):
    server.replies = [(429, {"Retry-After": "0.6"}, "slow down"), (503, {}, "busy"), said("fine")]
    (answer,) = backend(server).answer([GenerateRequest((Message("user", "hi"),))])
    assert answer == Texts(("fine",), usage=answer.usage)
    assert answer.usage.attempts == 3
    assert server.asked[1][0] - server.asked[0][0] >= 0.6


@pytest.mark.parametrize(
    ("reply", "attempts"), [((401, {}, "bad key"), 1), ((500, {}, "broken"), 2), ((200, {}, "<html>"), 1)]
)
def test_what_cannot_be_had_is_a_failure_that_never_names_the_key(server, reply, attempts):
    server.replies = [reply]
    (answer,) = backend(server, attempts=2).answer([GenerateRequest((Message("user", "hi"),))])
    assert isinstance(answer, Failure)
    assert answer.usage.attempts == attempts
    assert "secret" not in repr(answer)
    assert "secret" not in backend(server).identity()


def test_concurrency_and_rate_are_bounded(server):
    server.replies = [said()]
    asks = [GenerateRequest((Message("user", str(k)),)) for k in range(12)]
    backend(server, concurrency=3).answer(asks)
    assert 2 <= server.most <= 3
    server.asked.clear()
    backend(server, rate=20).answer(asks[:5])
    assert server.asked[-1][0] - server.asked[0][0] >= 0.18


def test_a_redirect_is_not_followed(server):
    server.replies = [(302, {"Location": "http://169.254.169.254/"}, "")]
    (answer,) = backend(server).answer([GenerateRequest((Message("user", "hi"),))])
    assert isinstance(answer, Failure)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1",
        "https://10.1.2.3/v1",
        "https://[::1]/v1",
        "https://[::ffff:192.168.0.1]/v1",
        "https://169.254.169.254/latest",
        "https://localhost/v1",
        "http://1.1.1.1/v1",
        "ftp://1.1.1.1/v1",
        "https:///v1",
    ],
)
def test_private_addresses_and_plain_http_are_refused_unless_the_operator_allows(url):
    with pytest.raises(RefusedAddress):
        checked_addresses(url, private_allowed=False)


def test_a_connection_goes_to_the_address_that_was_checked(server):
    port = server.http.server_port
    pinned = PinnedBackend("models.example.org", ["127.0.0.1"])
    stream = pinned.connect_tcp("models.example.org", port, timeout=2)
    assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
    stream.close()


def test_keys_are_sealed_and_another_secret_cannot_open_them(settings):
    token = sealed("sk-1")
    assert b"sk-1" not in token
    assert opened(token) == "sk-1"
    settings.SECRET_KEY = "another"
    with pytest.raises(KeyUnreadable):
        opened(token)


def test_retry_after_reads_seconds_and_dates():
    assert retry_after("2.5") == 2.5
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("soon") == 0.0
    assert retry_after("86400") == 60.0
