"""How fast a judge scores, beside the plain loop that a user would write with the same model and prompt.

    .venv/bin/python bench/judges.py [--rounds 5] [--pairs 6] [--rankings 2] [--model PATH]
    .venv/bin/python bench/judges.py --device cuda --random 8b FOLDER      the table over batch sizes and lengths
    .venv/bin/python bench/judges.py --table --random tiny FOLDER          the same table's code without a GPU

Every figure is taken in the same process, the contenders in turn, forwards and backwards, in processor seconds of one
thread beside wall time, because machines are noisy; ratios are taken within a round. The judge's tokens a second are
held against two bare forward passes of the same model in the same number type on the same thread, neither with
prompts made, tokens counted or an output layer: `bare, whole prompts` runs the very prompts one by one (batches gain
nothing on a processor), `bare, no past` as many tokens as the judge computes, in sequences as long as its pieces but
without the prefix that the judge's tokens attend to, which is less work a token and so the stricter measure. On CUDA
a random 8B architecture serves, and the table is over batch sizes and lengths, with the measured matrix ceiling as
the limit.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from bench.machine import describe
from judges.backends.conversion import as_safetensors
from judges.backends.transformers import TransformersBackend
from judges.backends.weights import resolve
from judges.items import Item, Message, Question
from judges.methods import drive
from judges.methods.pairwise import Pairwise

ROOT = Path(__file__).resolve().parent.parent
WORDS = (
    "the of and to in is that it was for on are as with his they at be this have from or one had by word but not what "
    "all were we when your can said there use an each which she do how their if will up other about out many then them "
    "these so some her would make like him into time has look two more write go see number no way could people my than "
    "first water been call who oil its now find long down day did get come made may part"
).split()


@dataclass
class Took:
    """What one contender took: pairs judged, tokens computed, processor and wall seconds."""

    pairs: int
    tokens: int
    cpu: float
    wall: float

    @property
    def pace(self) -> float:
        return self.tokens / self.cpu


def text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."


def item(rng: random.Random, at: int, responses: int, *, prompt: int = 100, answer: int = 150) -> Item:
    """A prompt of `prompt` words and answers of `answer` ± 40 %: the lengths of real pairs."""
    lengths = [round(answer * rng.uniform(0.6, 1.4)) for _ in range(responses)]
    return Item(at, (Message("user", text(rng, prompt)),), tuple(text(rng, n) for n in lengths))


def timed(work: Callable[[], tuple[int, int]]) -> Took:
    cpu, wall = time.process_time(), time.perf_counter()
    pairs, tokens = work()
    return Took(pairs, tokens, time.process_time() - cpu, time.perf_counter() - wall)


# ---------------------------------------------------------------- contenders


def requests_of(items: list[Item], question: Question, backend: TransformersBackend) -> list:
    return [request for one in items for request in next(Pairwise().steps(one, question, backend.limits()))]


def plain_loop(model, backend: TransformersBackend, items: list[Item], question: Question) -> tuple[int, int]:
    """f32, one by one, full logits: the loop that a user would write."""
    requests, tokens = requests_of(items, question, backend), 0
    for request in requests:
        chat = [{"role": one.role, "content": one.content} for one in request.messages]
        rendered = backend.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        ids = backend.tokenizer(rendered + request.prefill, add_special_tokens=False, return_tensors="pt")[
            "input_ids"
        ]
        with torch.inference_mode():
            torch.log_softmax(model(ids).logits[0, -1], -1)
        tokens += ids.shape[1]
    return len(requests) // 2, tokens


def judge(backend: TransformersBackend, items: list[Item], question: Question) -> tuple[int, int]:
    """The judge as it runs in a worker: prompts made, tokenised, scored, verdicts built."""
    outcomes = drive([Pairwise().steps(one, question, backend.limits()) for one in items], backend.answer)
    pairs = sum(len(list(itertools.combinations(one.responses, 2))) for one in items)
    return pairs, sum(outcome.usage.read for said in outcomes for outcome in said)


def fresh_lengths(backend: TransformersBackend, items: list[Item], question: Question) -> list[int]:
    """How many tokens each request makes the model compute."""
    return [answer.usage.read for answer in backend.answer(requests_of(items, question, backend))]


def bare(backend: TransformersBackend, lengths: list[int]) -> tuple[int, int]:
    """The forward pass alone, in the judge's number type, over sequences of these lengths."""
    with torch.inference_mode():
        for length in lengths:
            backend.model.model(input_ids=torch.full((1, length), 100), use_cache=False)
    return len(lengths) // 2, sum(lengths)


def on_cpu(options: argparse.Namespace) -> str:
    torch.set_num_threads(1)
    backend = loaded(options, device="cpu", threads=1)
    backend.warm_up()
    plain = AutoModelForCausalLM.from_pretrained(
        backend.model.config._name_or_path, dtype=torch.float32
    ).eval()
    rng = random.Random(1)
    kinds = {
        "pairs": ([item(rng, k, 2) for k in range(options.pairs)], Question("overall", "pairwise")),
        "rankings of four": (
            [item(rng, k, 4) for k in range(options.rankings)],
            Question("overall", "ranking"),
        ),
    }
    lines = [f"number type {str(backend.dtype).removeprefix('torch.')}", ""]
    lines.append(
        "| what | contender | pairs | tokens computed | cpu s a pair | wall s a pair | tokens a cpu s | "
        "beside the plain loop |"
    )
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (items, question) in kinds.items():
        requests = requests_of(items, question, backend)
        whole = [len(backend.encoded(request)[0]) for request in requests]
        lengths = fresh_lengths(backend, items, question)
        contenders = {
            "plain loop (f32)": lambda: plain_loop(plain, backend, items, question),  # noqa: B023
            "bare, whole prompts": lambda: bare(backend, whole),  # noqa: B023
            "judge": lambda: judge(backend, items, question),  # noqa: B023
            "bare, no past": lambda: bare(backend, lengths),  # noqa: B023
        }
        lines += rows(name, [one_round(contenders, turn) for turn in range(options.rounds)])
    return "\n".join(lines)


def one_round(contenders: dict[str, Callable[[], tuple[int, int]]], turn: int) -> dict[str, Took]:
    """Every contender once, in turn forwards and backwards, so that a drift of the machine favours none."""
    order = list(contenders) if turn % 2 == 0 else list(contenders)[::-1]
    took = {who: timed(contenders[who]) for who in order}
    return {who: took[who] for who in contenders}


def rows(name: str, rounds: list[dict[str, Took]]) -> list[str]:
    """Medians over the rounds, with the spread (least … most) of the ratios."""
    out = []
    for who in rounds[0]:
        took = [one[who] for one in rounds]
        cpu = statistics.median(one.cpu / one.pairs for one in took)
        wall = statistics.median(one.wall / one.pairs for one in took)
        pace = statistics.median(one.tokens / one.cpu for one in took)
        beside = spread([one["plain loop (f32)"].cpu / one[who].cpu for one in rounds])
        out.append(
            f"| {name} | {who} | {took[0].pairs} | {took[0].tokens} | {cpu:.2f} | {wall:.2f} | {pace:.0f} | {beside} |"
        )
    for who in ("bare, whole prompts", "bare, no past"):
        share = spread([one["judge"].pace / one[who].pace for one in rounds])
        out.append(f"| {name} | judge's tokens a second beside `{who}` | | | | | {share} | |")
    return out


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} … {max(values):.2f})"


def loaded(options: argparse.Namespace, **more: Any) -> TransformersBackend:
    return TransformersBackend(
        model=options.model,
        models_dir=Path(os.environ.get("MODELS_DIR", ROOT / "var" / "models")),
        cache_dir=Path(os.environ.get("MODELS_CACHE", ROOT / "var" / "models" / "converted")),
        **more,
    )


# ---------------------------------------------------------------- on a GPU


SIZES = {  # width, inner width, layers, heads, key heads
    "8b": (4096, 14336, 32, 32, 8),
    "tiny": (64, 128, 2, 4, 2),
}
TABLE = {"8b": ((60, 150, 300, 600), (1, 8, 32, 128)), "tiny": ((20, 60), (1, 4))}


def ceiling(device: str, dtype: torch.dtype, *, repeats: int = 30) -> float:
    """The measured ceiling of this device's matrix products in `dtype`, in FLOP a second."""
    size = 8192 if device == "cuda" else 512
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    for _ in range(5):
        a @ b
    wait(device)
    start = time.perf_counter()
    for _ in range(repeats):
        a @ b
    wait(device)
    return 2 * size**3 * repeats / (time.perf_counter() - start)


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def random_weights(size: str, folder: Path, device: str) -> None:
    """A Llama architecture with random weights, which serve for speed, and the small model's tokenizer."""
    width, inner, layers, heads, keys = SIZES[size]
    tokenizer = AutoTokenizer.from_pretrained(
        as_safetensors(
            Path(resolve("bundled:smollm2", ROOT / "var" / "models")), ROOT / "var" / "models" / "converted"
        )
    )
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=inner, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=keys, max_position_embeddings=8192, dtype="bfloat16",
    )  # fmt: skip
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(device):
        LlamaForCausalLM(config).save_pretrained(folder)
    torch.set_default_dtype(torch.float32)
    tokenizer.save_pretrained(folder)


def table(options: argparse.Namespace) -> str:
    """Speed over how many pairs are asked at once and how long they are, on packed rows."""
    backend = loaded(options, device=options.device, packed=True)
    backend.warm_up()
    weights = sum(
        p.numel() for n, p in backend.model.named_parameters() if "embed" not in n and "lm_head" not in n
    )
    top = ceiling(options.device, backend.dtype)
    kind = str(backend.dtype).removeprefix("torch.")
    lines = [
        f"{kind} matrix ceiling {top / 1e12:.3g} TFLOP/s; {weights / 1e9:.3g} G weights in the layers",
        "",
    ]
    lines += [
        "| words an answer | pairs at once | computed tokens a pair | pairs/s | computed tokens/s | share of the "
        "ceiling (least … most) | share by tokens that a plain loop computes |"
    ]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    question = Question("overall", "pairwise")
    for words, batch in itertools.product(*TABLE[options.random[0] if options.random else "8b"]):
        rng = random.Random(words)
        items = [item(rng, k, 2, prompt=max(words // 2, 20), answer=words) for k in range(batch)]
        plain = sum(len(backend.encoded(one)[0]) for one in requests_of(items, question, backend))
        judge(backend, items, question)
        wait(options.device)
        took = [timed(lambda: judge(backend, items, question)) for _ in range(options.rounds)]  # noqa: B023
        wall = statistics.median(one.wall for one in took)
        shares = spread([2 * weights * one.tokens / one.wall / top for one in took])
        lines.append(
            f"| {words} | {batch} | {took[0].tokens / batch:.0f} | {batch / wall:.1f} | {took[0].tokens / wall:.0f} | "
            f"{shares} | {2 * weights * plain / wall / top:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--rankings", type=int, default=2)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--model", default="bundled:smollm2")
    parser.add_argument("--table", action="store_true", help="the GPU's table on whatever device there is")
    parser.add_argument(
        "--random",
        nargs=2,
        metavar=("SIZE", "FOLDER"),
        help="8b or tiny: write random weights there and use them",
    )
    options = parser.parse_args()
    if options.random:
        random_weights(options.random[0], Path(options.random[1]), options.device)
        options.model = options.random[1]
    print(f"{describe()}, torch {torch.__version__}, {options.rounds} rounds\n")
    print(table(options) if options.table or options.device == "cuda" else on_cpu(options))


if __name__ == "__main__":
    main()
