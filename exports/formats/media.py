"""`media`: pairs of images, videos or sounds with their prompt, for diffusion and vision-language trainers.

A response's medium is its metadata's `image`, `video`, `audio` or `media`: an address or a path, exported as
it is (the files themselves stay where they are). Diffusion-DPO's pick (Wallace et al. 2024) reads `caption`,
`image_0`, `image_1` and `label_0`: the same pair in the order of the instance.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import NUMBER, TEXT, Columns
from exports.formats.texts import PROVENANCE, as_messages, provenance
from exports.records import Answer, Case, Pair, Shape

KINDS = ("image", "video", "audio", "media")
TEXTS = (
    "prompt",
    "kind",
    "chosen",
    "rejected",
    "chosen_text",
    "rejected_text",
    "caption",
    "image_0",
    "image_1",
)


def columns(shape: Shape) -> Columns:
    return {**dict.fromkeys(TEXTS, TEXT), "label_0": NUMBER, **PROVENANCE}


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row a pair of which both responses name a medium of one kind."""
    answers = {answer.index: answer for answer in case.answers}
    for pair in case.pairs:
        sides = answers[pair.chosen_index], answers[pair.rejected_index]
        kind = next((kind for kind in KINDS if all(side.metadata.get(kind) for side in sides)), None)
        if kind:
            yield as_row(pair, sides, kind)


def as_row(pair: Pair, sides: tuple[Answer, Answer], kind: str) -> Row:
    chosen, rejected = (str(side.metadata[kind]) for side in sides)
    prompt = "\n".join(turn["content"] for turn in as_messages(pair.prompt))
    first = pair.chosen_index < pair.rejected_index
    return {
        "prompt": prompt,
        "kind": kind,
        "chosen": chosen,
        "rejected": rejected,
        "chosen_text": pair.chosen,
        "rejected_text": pair.rejected,
        "caption": prompt,
        "image_0": chosen if first else rejected,
        "image_1": rejected if first else chosen,
        "label_0": (float(first) if pair.preferred else 0.5),
        **provenance(pair),
    }


FORMAT = Format(
    name="media",
    label="Pairs of images, videos or sounds with the prompt: diffusion and vision-language trainers",
    trainers=("Diffusion-DPO",),
    reads=Reads.CASES,
    of_pairs=True,
    columns=columns,
    rows=rows,
    needs="responses whose metadata name an image, a video, an audio or a media",
)
