"""How fast a judge scores, beside the plain loop that a user would write with the same model and prompt.

    .venv/bin/python bench/judges.py [--rounds 3] [--pairs 6] [--rankings 2] [--device cpu|cuda] [--model PATH]

Every figure is taken in the same process, the contenders in turn, in processor seconds (one thread) beside wall time,
because machines are noisy. `bare` is the forward pass alone over as many tokens in sequences of the same lengths, the
limit that the judge's own work is held against. On CUDA a random 7-8B architecture serves (`--random-8b`), and the
table is over batch sizes and lengths, with the measured bf16 matrix ceiling as the limit.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from judges.backends.transformers import TransformersBackend
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
    """The forward pass alone, bf16, over sequences of these lengths."""
    with torch.inference_mode():
        for length in lengths:
            backend.model.model(input_ids=torch.full((1, length), 100), use_cache=False)
    return len(lengths) // 2, sum(lengths)


def on_cpu(options: argparse.Namespace) -> str:
    torch.set_num_threads(1)
    backend = TransformersBackend(
        model=options.model,
        models_dir=Path(os.environ.get("MODELS_DIR", ROOT / "var" / "models")),
        cache_dir=Path(os.environ.get("MODELS_CACHE", ROOT / "var" / "models" / "converted")),
        device="cpu",
        threads=1,
    )
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
    lines = [
        "| what | contender | pairs | tokens computed | cpu s a pair | wall s a pair | tokens a cpu s | "
        "beside the plain loop |"
    ]
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (items, question) in kinds.items():
        lengths = fresh_lengths(backend, items, question)
        contenders = {
            "plain loop (f32)": lambda: plain_loop(plain, backend, items, question),  # noqa: B023
            "judge": lambda: judge(backend, items, question),  # noqa: B023
            "bare forward pass": lambda: bare(backend, lengths),  # noqa: B023
        }
        rounds = [{who: timed(work) for who, work in contenders.items()} for _ in range(options.rounds)]
        lines += rows(name, rounds)
    return "\n".join(lines)


def rows(name: str, rounds: list[dict[str, Took]]) -> list[str]:
    """Medians over the rounds, with the spread (least … most) of the ratio to the plain loop."""
    out = []
    for who in rounds[0]:
        took = [one[who] for one in rounds]
        ratios = [one["plain loop (f32)"].cpu / one[who].cpu for one in rounds]
        cpu = statistics.median(one.cpu / one.pairs for one in took)
        wall = statistics.median(one.wall / one.pairs for one in took)
        pace = statistics.median(one.tokens / one.cpu for one in took)
        beside = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})"
        out.append(
            f"| {name} | {who} | {took[0].pairs} | {took[0].tokens} | {cpu:.2f} | {wall:.2f} | {pace:.0f} | {beside} |"
        )
    share = [
        (one["judge"].tokens / one["judge"].cpu)
        / (one["bare forward pass"].tokens / one["bare forward pass"].cpu)
        for one in rounds
    ]
    out.append(
        f"| {name} | judge's tokens a second beside the bare pass | | | | | | {statistics.median(share):.2f} |"
    )
    return out


# ---------------------------------------------------------------- on a GPU


def ceiling(size: int = 8192, repeats: int = 30) -> float:
    """The measured bf16 matrix ceiling of this device, in FLOP a second."""
    a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(5):
        a @ b
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(repeats):
        a @ b
    torch.cuda.synchronize()
    return 2 * size**3 * repeats / (time.perf_counter() - start)


def random_8b(folder: Path) -> None:
    """An 8B Llama architecture with random weights, which serve for speed, and the small model's tokenizer."""
    config = LlamaConfig(
        vocab_size=49152, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
        num_attention_heads=32, num_key_value_heads=8, max_position_embeddings=8192, dtype="bfloat16",
    )  # fmt: skip
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        LlamaForCausalLM(config).save_pretrained(folder)
    torch.set_default_dtype(torch.float32)


def on_gpu(options: argparse.Namespace) -> str:
    """A table over how many pairs are asked at once and how long they are."""
    backend = TransformersBackend(
        model=options.model,
        models_dir=ROOT / "var" / "models",
        cache_dir=ROOT / "var" / "models" / "converted",
    )
    backend.warm_up()
    weights = sum(
        p.numel() for n, p in backend.model.named_parameters() if "embed" not in n and "lm_head" not in n
    )
    top = ceiling()
    lines = [f"bf16 matrix ceiling {top / 1e12:.0f} TFLOP/s; {weights / 1e9:.2f} G weights in the layers", ""]
    lines += [
        "| words an answer | pairs at once | tokens a pair | pairs/s | computed tokens/s | share of the ceiling |"
    ]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    question = Question("overall", "pairwise")
    for words, batch in itertools.product((60, 150, 300, 600), (1, 8, 32, 128)):
        rng = random.Random(words)
        items = [item(rng, k, 2, prompt=max(words // 2, 20), answer=words) for k in range(batch)]
        judge(backend, items, question)
        torch.cuda.synchronize()
        took = [timed(lambda: judge(backend, items, question)) for _ in range(options.rounds)]  # noqa: B023
        wall = statistics.median(one.wall for one in took)
        flop = 2 * weights * took[0].tokens
        lines.append(
            f"| {words} | {batch} | {took[0].tokens / batch:.0f} | {batch / wall:.1f} | {took[0].tokens / wall:.0f} | "
            f"{flop / wall / top:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--rankings", type=int, default=2)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--model", default="bundled:smollm2")
    parser.add_argument("--random-8b", metavar="FOLDER", help="write random 8B weights there first (cuda)")
    options = parser.parse_args()
    if options.random_8b:
        random_8b(Path(options.random_8b))
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, "
        f"load {os.getloadavg()[0]:.1f}, {options.rounds} rounds\n"
    )
    print(on_cpu(options) if options.device == "cpu" else on_gpu(options))


if __name__ == "__main__":
    main()
