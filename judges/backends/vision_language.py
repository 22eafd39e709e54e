"""A local model that sees, through transformers: verdict tokens and generation after texts and pictures.

Any folder or hub id that `AutoModelForImageTextToText` and `AutoProcessor` read (LLaVA, SmolVLM, Qwen-VL and
their kin). Pictures come with the request as data; nothing is fetched. One request is one pass: a picture's
tokens are many, so that there is little to share beyond them.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from typing import Any, Unpack

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor

from judges.backends.local import LocalModel, Placing, neutralise_specials
from judges.backends.pictures import MOST_PIXELS, bytes_of
from judges.backends.prefixes import shared
from judges.items import Message
from judges.problems import LabelsCollide
from judges.requests import Answer, Failure, GenerateRequest, LabelRequest, LabelScores, Request, Texts, Usage

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
LONGEST_SIDE = 1536  # pixels; larger pictures are made smaller before the model's own processor sees them


class VisionLanguageBackend(LocalModel):
    """A vision-language model in this process."""

    kind = "vision-language"

    def __init__(self, **placing: Unpack[Placing]) -> None:
        super().__init__(**placing)
        self.processor = AutoProcessor.from_pretrained(self.place)
        self.tokenizer = self.processor.tokenizer
        self.placed(AutoModelForImageTextToText.from_pretrained(self.place, dtype=self.dtype))
        self.head = self.model.get_output_embeddings().weight  # (V, D)
        self.specials = tuple(self.tokenizer.all_special_tokens)

    def warm_up(self) -> None:
        """The first pass pays for allocation alone; a picture's size is not known yet."""

    @torch.inference_mode()
    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request; a Failure where a picture cannot be seen."""
        self.take_threads()
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Answer:
        if not isinstance(request, LabelRequest | GenerateRequest):
            return Failure(f"{self.name} cannot answer {type(request).__name__}")
        pictures = [seen(url) for message in request.messages for url in message.images]
        unseen = next((one for one in pictures if isinstance(one, str)), None)
        if unseen is not None:
            return Failure(unseen)
        start = time.perf_counter()
        begun, first = self.label_ids(request) if isinstance(request, LabelRequest) else ([], [])
        inputs = self._inputs(request, [one for one in pictures if not isinstance(one, str)], begun)
        length = int(inputs["input_ids"].shape[1])
        if length > self.window:
            return Failure(f"{length} tokens exceed the window of {self.window}")
        if isinstance(request, LabelRequest):
            return self._labels(inputs, first, length, start)
        return self._texts(inputs, request, length, start)

    def _inputs(
        self, request: LabelRequest | GenerateRequest, pictures: Sequence[Image.Image], begun: Sequence[int]
    ) -> dict[str, Tensor]:
        """The processor's tensors for the chat with its pictures, the begun answer's ids behind."""
        text = self.rendered(request.messages)
        if isinstance(request, GenerateRequest):
            text += request.prefill
        given = {"images": list(pictures)} if pictures else {}
        inputs = dict(self.processor(text=text, return_tensors="pt", add_special_tokens=False, **given))
        if begun:
            tail = torch.tensor([list(begun)])
            inputs["input_ids"] = torch.cat([inputs["input_ids"], tail], 1)
            for name in ("attention_mask", "token_type_ids", "mm_token_type_ids"):
                if name in inputs:
                    more = torch.full_like(tail, 1 if name == "attention_mask" else 0)
                    inputs[name] = torch.cat([inputs[name], more], 1)
        return {
            name: value.to(self.device, self.dtype) if value.is_floating_point() else value.to(self.device)
            for name, value in inputs.items()
        }

    def _labels(
        self, inputs: dict[str, Tensor], first: Sequence[int], length: int, start: float
    ) -> LabelScores:
        """Log-probabilities of the labels: their rows in f32, the normaliser over the whole vocabulary."""
        hidden = self.model.model(**inputs, use_cache=False).last_hidden_state[0, -1]  # (D,)
        logits = self.head[list(first)].float() @ hidden.float()  # (L,)
        normaliser = torch.logsumexp((self.head @ hidden).float(), 0)
        mass = min(float(torch.exp(logits - normaliser).sum()), 1.0)
        usage = Usage(read=length, seconds=time.perf_counter() - start)
        return LabelScores(tuple((logits - normaliser).tolist()), mass, usage)

    def _texts(self, inputs: dict[str, Tensor], request: GenerateRequest, length: int, start: float) -> Texts:
        torch.manual_seed(request.seed)
        sampling: dict[str, Any] = {"do_sample": False}
        if request.temperature > 0:
            sampling = {"do_sample": True, "temperature": request.temperature, "top_p": 1.0, "top_k": 0}
        many = request.samples if request.temperature > 0 else 1
        out = self.model.generate(
            **inputs, max_new_tokens=request.max_tokens, num_return_sequences=many, **sampling
        )
        written = out[:, length:]
        texts = [text.strip() for text in self.tokenizer.batch_decode(written, skip_special_tokens=True)]
        usage = Usage(length, 0, int(written.numel()), time.perf_counter() - start)
        return Texts(tuple(texts * (request.samples // many)), usage=usage)

    # ---------------------------------------------------------------- tokens

    def rendered(self, messages: Sequence[Message]) -> str:
        """The chat template's text, open for the assistant's turn, the pictures of a turn before its words."""
        chat = [
            {
                "role": one.role,
                "content": [
                    *({"type": "image"} for _ in one.images),
                    {"type": "text", "text": neutralise_specials(one.content, self.specials)},
                ],
            }
            for one in messages
        ]
        return str(self.processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))

    def label_ids(self, request: LabelRequest) -> tuple[list[int], list[int]]:
        """The tokens that the prefill with any label begins with, and each label's first one of its own.

        Raises `LabelsCollide` where no token tells two labels apart.
        """
        whole = [self._ids(request.prefill + label) for label in request.labels]
        common = min(shared(whole[0], other) for other in whole)
        if any(len(ids) <= common for ids in whole) or len({ids[common] for ids in whole}) < len(whole):
            raise LabelsCollide(labels=request.labels, model=self.name)
        return whole[0][:common], [ids[common] for ids in whole]

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def seen(url: str) -> Image.Image | str:
    """The picture, in RGB and not larger than it needs to be; or, as a text, why it cannot be seen."""
    data = bytes_of(url)
    if data is None:
        return f"a picture is not at hand: {url[:80]!r}"
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height > MOST_PIXELS:
            return f"a picture of {picture.width} x {picture.height} pixels is too large"
        plain = picture.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        return f"a picture cannot be read: {type(error).__name__}"
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return plain
