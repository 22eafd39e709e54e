"""How close embedding and storing a project's texts comes to the bare encoder, in tokens a second.

    OMP_NUM_THREADS=1 SWITCHYARD_HOME=/tmp/embeddings .venv/bin/python bench/embeddings.py

Each round takes 256 fresh responses of ../shared/data. The bare encoder gets them tokenized, sorted by length and
padded beforehand, 32 at once, and only runs the model and takes the mean. Ours is what a judge worker does: looks up
what is stored, tokenizes, encodes, stores. The two take turns to be first. Writes bench/embeddings.md.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
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
from judges.representations import STORED_AS, ensure, loaded_encoder
from ledger.imports.files import opened, read_rows
from ledger.models import Representation

SETS = ("mtbench", "pandalm", "ukp_convarg")
ROUNDS, ROUND = 7, 256


def texts() -> list[str]:
    """Distinct responses of the sets, in a fixed random order."""
    found = set()
    for name in SETS:
        place = ROOT.parent / "shared" / "data" / f"{name}.jsonl.gz"
        with opened(place) as stream:
            rows = [row for _line, row in read_rows(stream, name=place.name) if isinstance(row, dict)]
        found |= {response["text"] for row in rows for response in row["responses"] if response["text"]}
    ordered = sorted(found)
    return [ordered[i] for i in np.random.default_rng(0).permutation(len(ordered))]


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
    Representation.objects.filter(encoder=STORED_AS["minilm"]).delete()
    encoder, found = loaded_encoder("minilm"), texts()
    torch.set_num_threads(1)
    bare(encoder, batches(encoder, found[-BATCH:]))  # warm-up
    rates: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        part = found[number * ROUND : (number + 1) * ROUND]
        ready = batches(encoder, part)
        tokens = sum(int(batch["attention_mask"].sum()) for batch in ready)
        works = {"bare": lambda: bare(encoder, ready), "ours": lambda: ensure(part, "minilm")}  # noqa: B023
        spent = {name: seconds(works[name]) for name in sorted(works, reverse=bool(number % 2))}
        rates.append((tokens / spent["bare"], tokens / spent["ours"]))
    (ROOT / "bench" / "embeddings.md").write_text(text(np.array(rates)), encoding="utf-8")


def text(rates: Any) -> str:
    """The table; `rates` (R, 2) are tokens a second, bare and ours."""
    share = rates[:, 1] / rates[:, 0]
    spread = [f"{np.median(x):,.0f} ({x.min():,.0f}–{x.max():,.0f})" for x in rates.T]
    return (
        "# Embedding a project's texts\n\n"
        f"Tokens a second of processor time, one thread, MiniLM, {len(rates)} rounds of {ROUND} responses of the "
        f"real sets; medians, least and most. {machine.describe()}. "
        "Reproduce: `OMP_NUM_THREADS=1 .venv/bin/python bench/embeddings.py`.\n\n"
        "| bare encoder | looked up, tokenized, encoded, stored | share | allowed |\n|---|---|---|---|\n"
        f"| {spread[0]} | {spread[1]} | {np.median(share):.2f} ({share.min():.2f}–{share.max():.2f}) | 0.80 |\n"
    )


if __name__ == "__main__":
    main()
