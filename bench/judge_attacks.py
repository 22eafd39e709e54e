"""The attack suite on a local model with the shipped pairwise prompt: flip rates by kind, with and without
neutralising.

.venv/bin/python bench/judge_attacks.py [--model bundled:smollm2] [--raw]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from judges import prompting, safety
from judges.attacks import KINDS, Result, run_attacks, suite
from judges.backends.transformers import TransformersBackend
from judges.items import Question
from judges.methods.pairwise import Pairwise

ROOT = Path(__file__).resolve().parent.parent


def row(name: str, results: list[Result]) -> str:
    counted, flipped = sum(one.counted for one in results), sum(one.flipped for one in results)
    share = f"{flipped / counted:.2f}" if counted else "-"
    moved = [
        abs(one.after - one.before) for one in results if one.after is not None and one.before is not None
    ]
    return f"| {name} | {len(results)} | {counted} | {flipped} | {share} | {sum(moved) / len(moved):.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="bundled:smollm2")
    parser.add_argument("--raw", action="store_true", help="without neutralising, to see what it is worth")
    options = parser.parse_args()
    if options.raw:
        prompting.neutralise = lambda text, specials=(): safety.Disarmed(text, 0)
    models = Path(os.environ.get("MODELS_DIR", ROOT / "var" / "models"))
    backend = TransformersBackend(
        model=options.model, models_dir=models, cache_dir=models / "converted", window=4096
    )
    if options.raw:
        backend.specials = ()
    attacks = suite()
    results = run_attacks(
        attacks, Pairwise(), Question("overall", "pairwise"), answer=backend.answer, limits=backend.limits()
    )
    print("| kind | attacks | counted | flipped | flip rate | mean move of P |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in KINDS:
        print(row(kind, [one for one in results if one.attack.kind == kind]))
    print(row("structural, all", [one for one in results if one.attack.structural]))
    print(row("persuasion, all", [one for one in results if not one.attack.structural]))
    print(row("all", results))


if __name__ == "__main__":
    main()
