"""How close embedding and storing a project's texts comes to the bare encoder, in tokens a second.

    OMP_NUM_THREADS=1 SWITCHYARD_HOME=/tmp/embeddings .venv/bin/python bench/embeddings.py

Each round takes fresh pairs of ../shared/data, up to 256 responses. The bare encoder gets them tokenized, sorted by
length and padded beforehand, 32 at once, and only runs the model and takes the mean. Ours is what a judge worker does:
looks up what is stored, tokenizes, encodes, stores; and then also matches the pairs. They take turns to be first.
Writes bench/embeddings.md.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import combinations, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import machine
import numpy as np
import torch
from django.core.management import call_command

from judges.encoders import BATCH, SentenceEncoder
from judges.representations import (
    AT_ONCE,
    MATCHED_AS,
    STORED_AS,
    ensure,
    ensure_matched,
    loaded_encoder,
    parts,
)
from ledger.imports.files import opened, read_rows
from ledger.models import Representation

SETS = ("mtbench", "pandalm", "ukp_convarg")
ROUNDS = 5
WORKS = ("bare encoder", "looked up, tokenized, encoded, stored", "the same, and its pairs matched")


def pairs() -> list[tuple[str, str]]:
    """Distinct pairs of responses of the sets, in a fixed random order of their prompts."""
    by_prompt: dict[str, list[tuple[str, str]]] = {}
    for name in SETS:
        place = ROOT.parent / "shared" / "data" / f"{name}.jsonl.gz"
        with opened(place) as stream:
            rows = [row for _line, row in read_rows(stream, name=place.name) if isinstance(row, dict)]
        for row in rows:
            said = [response["text"] for response in row["responses"] if response["text"]]
            by_prompt.setdefault(str(row["prompt"]), []).extend(combinations(said, 2))
    prompts = [list(dict.fromkeys(found)) for _, found in sorted(by_prompt.items())]
    order = np.random.default_rng(0).permutation(len(prompts))
    return [pair for place in order for pair in prompts[place]]


def distinct(part: Sequence[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(text for pair in part for text in pair))


def batches(encoder: SentenceEncoder, part: Sequence[str]) -> list[Any]:
    tokens = encoder.tokenizer(list(part), truncation=True, max_length=encoder.tokens)["input_ids"]
    order = sorted(range(len(part)), key=lambda i: len(tokens[i]))
    return [
        encoder.tokenizer.pad({"input_ids": [tokens[i] for i in order[at : at + BATCH]]}, return_tensors="pt")
        for at in range(0, len(order), BATCH)
    ]


@torch.inference_mode()
def bare(encoder: SentenceEncoder, ready: list[Any]) -> None:
    for batch in ready:
        states = encoder.model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"][:, :, None].float()
        (states * mask).sum(1) / mask.sum(1)


def seconds(work: Callable[[], Any]) -> float:
    """Processor seconds of this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    call_command("migrate", verbosity=0)
    encoder, found = loaded_encoder("minilm"), list(islice(parts(pairs(), AT_ONCE), ROUNDS + 1))
    torch.set_num_threads(1)
    bare(encoder, batches(encoder, distinct(found.pop())))  # warm-up
    rates, counts = [], []
    for number, part in enumerate(found):
        texts = distinct(part)
        ready = batches(encoder, texts)
        tokens = sum(int(batch["attention_mask"].sum()) for batch in ready)
        spent = one_round(encoder, ready, texts, part, first=number % 3)
        rates.append([tokens / spent[name] for name in WORKS])
        counts.append(len(part))
    (ROOT / "bench" / "embeddings.md").write_text(text(np.array(rates), sum(counts)), encoding="utf-8")


def one_round(
    encoder: SentenceEncoder, ready: list[Any], texts: list[str], part: list[tuple[str, str]], *, first: int
) -> dict[str, float]:
    """Processor seconds of each kind of work on the same texts, the `first` of them first."""
    works: list[Callable[[], Any]] = [
        lambda: bare(encoder, ready),
        lambda: ensure(texts, "minilm"),
        lambda: ensure_matched(part, "minilm"),
    ]
    spent = {}
    for turn in range(len(works)):
        place = (first + turn) % len(works)
        Representation.objects.filter(encoder__in=(STORED_AS["minilm"], MATCHED_AS["minilm"])).delete()
        spent[WORKS[place]] = seconds(works[place])
    return spent


def text(rates: Any, matched: int) -> str:
    """The table; `rates` (R, 3) are tokens a second of `WORKS`."""
    shares = rates / rates[:, :1]
    head = (
        "# Embedding a project's texts\n\n"
        f"Tokens a second of processor time, one thread, MiniLM, {len(rates)} rounds of up to {AT_ONCE} responses of "
        f"the real sets, {matched:,} pairs in all; medians, least and most. Matching stores BERTScore's precision, "
        f"recall and F1 of every pair beside the vectors, from the same passes. {machine.describe()}. "
        "Reproduce: `OMP_NUM_THREADS=1 .venv/bin/python bench/embeddings.py`.\n\n"
        "| work | tokens a second | share of the bare encoder | allowed |\n|---|---|---|---|\n"
    )
    rows = [
        f"| {name} | {np.median(x):,.0f} ({x.min():,.0f}–{x.max():,.0f}) | "
        f"{np.median(share):.2f} ({share.min():.2f}–{share.max():.2f}) | {0.8 if place else ''} |\n"
        for place, (name, x, share) in enumerate(zip(WORKS, rates.T, shares.T, strict=True))
    ]
    return head + "".join(rows)


if __name__ == "__main__":
    main()
