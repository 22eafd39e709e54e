"""A small OpenAI-compatible server on loopback with a real model behind it.

Transport and protocol are ours, in vLLM's shape (`continue_final_message`, `prompt_logprobs`, `n`, `logprobs`,
usage); every number is the model's, by the plain forward pass and the tokenizer's own chat template.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch


class ModelServer:
    """Chat completions over a model and its tokenizer. `refuses` names body keys that are answered with 400.

    With `repeats` a continued answer comes back whole, as llama.cpp gives it; `slots` bounds `n`.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        refuses: tuple[str, ...] = (),
        repeats: bool = False,
        slots: int = 64,
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.refuses, self.repeats, self.slots = refuses, repeats, slots
        self.asked: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer.lock:
                    outer.asked.append(body)
                    status, reply = outer.reply(self.path, body)
                data = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def reply(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        wrong = [name for name in self.refuses if name in body]
        if wrong or body.get("n", 1) > self.slots:
            return 400, {"error": {"message": f"Unrecognized request argument supplied: {wrong or 'n'}"}}
        return 200, self.completed(body)

    @torch.inference_mode()
    def completed(self, body: dict[str, Any]) -> dict[str, Any]:
        ids = self.prompt_ids(body)
        rows = torch.log_softmax(self.model(torch.tensor([ids]), use_cache=False).logits[0].double(), -1)
        choices = [self.choice(ids, rows[-1], body, at) for at in range(body.get("n", 1))]
        written = sum(choice.pop("tokens") for choice in choices)
        reply: dict[str, Any] = {
            "choices": choices,
            "usage": {"prompt_tokens": len(ids), "completion_tokens": written},
        }
        if "prompt_logprobs" in body:
            told = [self.told(rows[at - 1], token) for at, token in enumerate(ids) if at]
            reply["prompt_logprobs"] = [None, *told]
        return reply

    def prompt_ids(self, body: dict[str, Any]) -> list[int]:
        text = self.tokenizer.apply_chat_template(
            body["messages"],
            tokenize=False,
            add_generation_prompt=body.get("add_generation_prompt", True),
            continue_final_message=body.get("continue_final_message", False),
        )
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def told(self, row: torch.Tensor, token: int) -> dict[str, Any]:
        """A prompt's token as vLLM tells it: parts of characters are decoded to U+FFFD."""
        return {
            str(token): {
                "logprob": float(row[token]),
                "rank": 1,
                "decoded_token": self.tokenizer.decode([token]),
            }
        }

    def choice(self, ids: list[int], last: torch.Tensor, body: dict[str, Any], at: int) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(int(body.get("seed", 0)) * 1000 + at)
        written, rows = self.written(ids, last, body, generator)
        text = self.tokenizer.decode(written, skip_special_tokens=True)
        if self.repeats and body.get("continue_final_message"):
            text = body["messages"][-1]["content"] + text
        choice: dict[str, Any] = {
            "index": at,
            "message": {"role": "assistant", "content": text},
            "tokens": len(written),
        }
        if body.get("logprobs"):
            places = zip(written, rows, strict=True)
            choice["logprobs"] = {"content": [self.place(token, row, body) for token, row in places]}
        return choice

    def place(self, token: int, row: torch.Tensor, body: dict[str, Any]) -> dict[str, Any]:
        """A written token with the likeliest ones at its place."""
        top = torch.topk(row, body.get("top_logprobs", 1))
        pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        tokens = [{"token": self.tokenizer.decode([one]), "logprob": value} for one, value in pairs]
        return {"token": self.tokenizer.decode([token]), "logprob": float(row[token]), "top_logprobs": tokens}

    def written(
        self, ids: list[int], last: torch.Tensor, body: dict[str, Any], generator: torch.Generator
    ) -> tuple[list[int], list[torch.Tensor]]:
        """The tokens after the prompt, one forward pass each, and the log-probabilities at their places."""
        warm, row, ended = body.get("temperature", 1.0), last, self.tokenizer.eos_token_id
        made: list[int] = []
        rows: list[torch.Tensor] = []
        for _ in range(body.get("max_tokens", 16)):
            chances = torch.softmax(row / warm, -1) if warm else None
            token = int(
                row.argmax() if chances is None else torch.multinomial(chances, 1, generator=generator)
            )
            made.append(token)
            rows.append(row)
            if token == ended or len(made) == body.get("max_tokens", 16):
                break
            logits = self.model(torch.tensor([ids + made]), use_cache=False).logits[0, -1].double()
            row = torch.log_softmax(logits, -1)
        return made, rows


@contextmanager
def served(model: Any, tokenizer: Any, **options: Any) -> Iterator[ModelServer]:
    made = ModelServer(model, tokenizer, **options)
    try:
        yield made
    finally:
        made.http.shutdown()
