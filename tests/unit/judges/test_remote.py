"""The OpenAI-compatible backend against a real server on loopback that answers as it is told."""

import json
import math
import socket
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
        self.replies, self.asked, self.at_once, self.most, self.slow = [], [], 0, 0, 0.02
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    outer.asked.append((time.monotonic(), dict(self.headers), body))
                    outer.at_once += 1
                    outer.most = max(outer.most, outer.at_once)
                    status, headers, reply = outer.replies[min(len(outer.asked), len(outer.replies)) - 1]
                time.sleep(outer.slow)
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


def test_all_who_are_told_the_same_time_come_back_one_by_one(server):
    """Retry-After is honoured by everyone, and what jitter adds to it parts them."""
    server.replies = [(429, {"Retry-After": "0.5"}, "slow down")] * 8 + [said()]
    asks = [GenerateRequest((Message("user", str(k)),)) for k in range(8)]
    answers = backend(server, concurrency=8, seed=3).answer(asks)
    assert all(isinstance(one, Texts) and one.usage.attempts == 2 for one in answers)
    first, again = server.asked[:8], server.asked[8:]
    heard = {body["messages"][0]["content"]: at for at, _, body in first}
    waited = [at - heard[body["messages"][0]["content"]] for at, _, body in again]
    assert len(waited) == 8 and min(waited) >= 0.5
    assert max(waited) - min(waited) > 0.3


def test_workers_do_not_share_their_jitter(server):
    pauses = [[backend(server)._backoff(attempt) for attempt in (1, 2, 3)] for _ in range(2)]
    assert pauses[0] != pauses[1]
    assert all(0 <= pause <= 0.5 * 2**attempt for one in pauses for attempt, pause in enumerate(one, 1))


def test_a_server_that_does_not_answer_in_time_is_given_up(server):
    server.replies, server.slow = [said()], 1.5
    began = time.monotonic()
    (answer,) = backend(server, timeout=0.2, attempts=2, seed=1).answer([ASK])
    assert isinstance(answer, Failure) and "ReadTimeout" in answer.reason
    assert answer.usage.attempts == 2 and time.monotonic() - began < 3
    nobody = OpenAICompatibleBackend(url="http://127.0.0.1:9/v1", model="m", private_allowed=True, attempts=1)
    (answer,) = nobody.answer([ASK])
    assert isinstance(answer, Failure) and "ConnectError" in answer.reason


def test_a_reply_without_end_is_cut(server, monkeypatch):
    monkeypatch.setattr("judges.backends.openai_compatible.LARGEST_REPLY", 100_000)
    server.replies = [(200, {}, json.dumps({"choices": [{"message": {"content": "x" * 5_000_000}}]}))]
    (answer,) = backend(server).answer([GenerateRequest((Message("user", "hi"),))])
    assert isinstance(answer, Failure) and "no chat completion" in answer.reason
    assert len(answer.raw) <= 2000


@pytest.mark.parametrize(
    "reply",
    [{}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": None}]}, {"choices": [{"message": "A"}]},
     [], "null", {"choices": [{"message": {"content": "A"}}], "usage": {"prompt_tokens": "many"}}],
)  # fmt: skip
def test_a_reply_of_another_shape_is_a_failure(server, reply):
    server.replies = [(200, {}, reply)]
    (answer,) = backend(server).answer([ASK])
    assert isinstance(answer, Failure) and "no chat completion" in answer.reason


def test_cached_tokens_are_told_apart_and_what_failed_costs_nothing(server):
    body = said(top=[(" A", 0.9), (" B", 0.1)])[2]
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 60}
    server.replies = [(500, {}, "broken"), (200, {}, body)]
    (answer,) = backend(server, prices={"read": 1.0, "written": 1.0}, seed=1).answer([ASK])
    assert (answer.usage.read, answer.usage.reused, answer.usage.written) == (40, 60, 1)
    assert (answer.usage.cost, answer.usage.attempts) == (pytest.approx(101 / 1e6), 2)


def test_finding_out_that_there_are_no_log_probabilities_is_paid_for(server):
    server.replies = [
        said(usage=(100, 2)),
        (200, {}, {"choices": [{"message": {"content": "B"}}] * 8, "usage": {"prompt_tokens": 100}}),
    ]
    (answer,) = backend(server, prices={"read": 1.0, "written": 1.0}).answer([ASK])
    assert (answer.usage.read, answer.usage.written, answer.usage.attempts) == (200, 2, 2)


def test_a_space_before_the_label_is_read_through(server):
    """ " 1" as a space and a digit: P(1) = P(space) · P(1 | space), besides a "1" at once."""

    def top(*pairs):
        return [{"token": token, "logprob": math.log(p)} for token, p in pairs]

    content = [
        {"token": " ", "logprob": math.log(0.8), "top_logprobs": top((" ", 0.8), ("1", 0.1), ("x", 0.05))},
        {"token": "2", "logprob": math.log(0.5), "top_logprobs": top(("2", 0.5), ("1", 0.25))},
    ]
    reply = {"choices": [{"message": {"content": " 2"}, "logprobs": {"content": content}}], "usage": {}}
    server.replies = [(200, {}, reply)]
    (answer,) = backend(server).answer([LabelRequest(ASK.messages, (" 1", " 2"), prefill="Score:")])
    assert answer.logprobs == pytest.approx((math.log(0.3), math.log(0.4)))
    assert answer.mass == pytest.approx(0.7)


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


def test_a_name_that_resolves_to_another_server_later_is_not_believed(server, monkeypatch):
    """DNS rebinding: every look-up after the first leads elsewhere, and the calls still go where was checked."""
    other = Server()
    other.replies, server.replies = [said("elsewhere")], [said("here")]
    found, looked = iter(["127.0.0.1"]), []
    real = socket.getaddrinfo

    def rebinding(host, port, *args, **options):
        if host != "models.example.org":
            return real(host, port, *args, **options)
        looked.append(host)
        return real(next(found, "127.0.0.2"), port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = f"http://models.example.org:{server.http.server_port}/v1"
    made = OpenAICompatibleBackend(url=url, model="m", private_allowed=True, attempts=1)
    for _ in range(3):
        (answer,) = made.answer([GenerateRequest((Message("user", "hi"),))])
        assert answer.texts == ("here",)
    assert len(looked) == 1 and not other.asked
    assert server.asked[0][1]["Host"] == f"models.example.org:{server.http.server_port}"
    other.http.shutdown()


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["1.1.1.1", "192.168.0.7"], ["2606:4700::1111", "fe80::1%eth0"]]
)
def test_a_name_with_one_private_address_is_refused_whole(addresses, monkeypatch):
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: rows)
    with pytest.raises(RefusedAddress):
        OpenAICompatibleBackend(url="https://models.example.org/v1", model="m")


def test_the_environments_proxy_is_not_asked(server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.replies = [said("fine")]
    (answer,) = backend(server, attempts=1).answer([GenerateRequest((Message("user", "hi"),))])
    assert answer.texts == ("fine",)


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
