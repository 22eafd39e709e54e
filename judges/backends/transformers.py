"""A local model through transformers: verdict tokens, likelihoods and generation, close to the hardware's
limit.

What makes it fast, and what each is worth, is in bench/judges.md: bf16 where the processor has it, prefix
reuse between the two orders, the aspects and the pairs of a ranking, no output layer but at the positions
that are asked for, and there the label rows in f32 (a bf16 output layer has steps of 0.06 and ties one
verdict in nine).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, TypeVar, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from judges.backends.attention import prefix_attention
from judges.backends.local import LocalModel, Placing, has_images, neutralise_specials
from judges.backends.prefixes import Pack, pack, shared, walk
from judges.items import Message
from judges.problems import LabelsCollide
from judges.requests import (
    Answer,
    Failure,
    GenerateRequest,
    LabelRequest,
    LabelScores,
    Likelihood,
    LikelihoodRequest,
    Request,
    Texts,
    Usage,
)

T = TypeVar("T")
PACKED_TOKENS = 4096  # a row of a packed batch: large enough products on a GPU, a mask of 32 MiB
MARK = "\uffff"  # no text holds this noncharacter: where a turn's words would stand
HEADS_AT_ONCE = 64  # last positions that meet the output layer in one product
PLANNED_AT_ONCE = 64  # requests that the planning thread tokenizes before it packs them
AHEAD = 4  # packs that the tokenizing thread may be ahead of the model


class Asked:
    """Scoring requests and, as they are encoded, their tokens; perhaps by another thread than the model's.

    `encoded[i]` is (token ids, first position that is wanted) of request i, `same[i]` the first request with
    the same tokens, which alone is computed.
    """

    def __init__(self, backend: TransformersBackend, requests: Sequence[Request]) -> None:
        self.backend, self.requests = backend, requests
        self.encoded: list[tuple[list[int], int]] = []
        self.same: list[int] = []
        self._first: dict[tuple[type, int, tuple[int, ...]], int] = {}

    def encode(self, next_ones: Iterable[int]) -> list[int]:
        """Encode the requests that come next; those among them that are new and fit the window."""
        fitting = []
        for i in next_ones:
            ids, begin = self.backend.encoded(self.requests[i])
            self.encoded.append((ids, begin))
            self.same.append(self._first.setdefault((type(self.requests[i]), begin, tuple(ids)), i))
            if self.same[i] == i and len(ids) <= self.backend.window:
                fitting.append(i)
        return fitting

    def sequences(self, indices: Sequence[int]) -> tuple[list[list[int]], list[int]]:
        """Those requests' tokens and first wanted positions."""
        return [self.encoded[i][0] for i in indices], [self.encoded[i][1] for i in indices]


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A packed row ready for the model: its mask (T, T), and where each request's wanted states lie."""

    row: Pack
    mask: NDArray[np.bool_]
    wanted: Mapping[int, NDArray[np.int64]]


class TransformersBackend(LocalModel):
    """A causal language model in this process."""

    kind = "transformers"

    def __init__(self, *, packed: bool | None = None, **placing: Unpack[Placing]) -> None:
        super().__init__(**placing)
        self.tokenizer = AutoTokenizer.from_pretrained(self.place)
        self.placed(AutoModelForCausalLM.from_pretrained(self.place, dtype=self.dtype))
        if self.device.type == "cpu":
            prefix_attention(self.model)
        self.packed = self.device.type == "cuda" if packed is None else packed
        self.head = self.model.get_output_embeddings().weight  # (V, D)
        self._labels_known: dict[tuple[tuple[str, ...], str], tuple[list[int], list[int]]] = {}
        self.specials = tuple(self.tokenizer.all_special_tokens)

    def warm_up(self) -> None:
        """One pass: the first in a process costs seconds of allocation and kernel choice."""
        self.answer([LabelRequest((Message("user", "Is 2 more than 1?"),), (" A", " B"), prefill="Verdict:")])

    @torch.inference_mode()
    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Scoring requests share prefixes with one another; generation is batched by its settings."""
        self.take_threads()
        answers: dict[int, Answer] = {}
        blind = {i for i, one in enumerate(requests) if has_images(one)}
        answers.update({i: Failure(f"{self.name} takes no images") for i in blind})
        scoring = [
            i
            for i, one in enumerate(requests)
            if isinstance(one, LabelRequest | LikelihoodRequest) and i not in blind
        ]
        answers.update(zip(scoring, self._score([requests[i] for i in scoring]), strict=True))
        writing = [
            (i, one) for i, one in enumerate(requests) if isinstance(one, GenerateRequest) and i not in blind
        ]
        answers.update(self._write(writing))
        return [
            answers.get(i) or Failure(f"{self.name} cannot answer {type(one).__name__}")
            for i, one in enumerate(requests)
        ]

    # ---------------------------------------------------------------- scoring

    def _score(self, requests: Sequence[Request]) -> list[Answer]:
        """Each request's answer from the hidden states after its prompt; equal requests are computed once."""
        if not requests:
            return []
        asked = Asked(self, requests)
        start = time.perf_counter()
        states: dict[int, Tensor] = {}
        read: dict[int, int] = {}
        for at, state, computed in self._packed(asked) if self.packed else self._walked(asked):
            states[at], read[at] = state, computed
        labels = self._labels({at: state[-1] for at, state in states.items()}, requests)
        seconds = (time.perf_counter() - start) / max(len(states), 1)
        answers: list[Answer] = []
        for i, (ids, begin) in enumerate(asked.encoded):
            at = asked.same[i]
            if at not in states:
                answers.append(Failure(f"{len(ids)} tokens exceed the window of {self.window}"))
                continue
            fresh = read[i] if at == i else 0
            usage = Usage(read=fresh, reused=len(ids) - fresh, seconds=seconds if at == i else 0.0)
            if at in labels:
                logprobs = labels[at]
                mass = min(float(np.exp(logprobs).sum()), 1.0)
                answers.append(LabelScores(tuple(logprobs), mass, usage))
            else:
                answers.append(self._likelihood(states[at], ids[begin + 1 :], usage))
        return answers

    def encoded(self, request: Request) -> tuple[list[int], int]:
        """The request's token ids and the position of the first hidden state that it needs."""
        assert isinstance(request, LabelRequest | LikelihoodRequest)
        if isinstance(request, LabelRequest):
            begun, _ = self.label_ids(request.labels, request.prefill)
            ids = self._ids(self.rendered(request.messages)) + begun
            return ids, len(ids) - 1
        prompt = self._ids(self.opened(request.messages, request.speaker))
        continuation = self._ids(neutralise_specials(request.continuation, self.specials))
        return prompt + continuation, len(prompt) - 1

    def _walked(self, asked: Asked) -> Iterator[tuple[int, Tensor, int]]:
        """(request, hidden states (n, D) from its wanted position on, tokens computed), depth first with
        one cache.
        """
        fitting = asked.encode(range(len(asked.requests)))
        sequences, wanted = asked.sequences(fitting)
        cache, held = DynamicCache(config=self.model.config), 0
        for step in walk(sequences, wanted):
            ids = sequences[step.index]
            if step.keep == 0:
                cache = DynamicCache(config=self.model.config)
            elif step.keep < held:
                cache.crop(step.keep - held)  # a negative number: how many tokens to drop
            held = len(ids)
            fresh = torch.tensor([ids[step.keep :]], device=self.device)
            hidden = self.model.model(
                input_ids=fresh, past_key_values=cache, use_cache=True
            ).last_hidden_state[0]
            yield fitting[step.index], hidden[wanted[step.index] - step.keep :], len(ids) - step.keep

    def _packed(self, asked: Asked) -> Iterator[tuple[int, Tensor, int]]:
        """The same from tree-packed rows; a thread ahead of the model tokenizes, packs and makes masks."""
        for plan in ahead(self._planned(asked), AHEAD):
            hidden = self._row(plan)
            share = len(plan.row.ids) // len(plan.wanted)
            for at, places in plan.wanted.items():
                yield at, hidden[torch.from_numpy(places).to(self.device)], share

    def _planned(self, asked: Asked) -> Iterator[Planned]:
        """Rows ready for the model, from a few requests at a time so that the first comes soon."""
        for part in batched(range(len(asked.requests)), PLANNED_AT_ONCE):
            fitting = asked.encode(part)
            sequences, wanted = asked.sequences(fitting)
            for row in pack(sequences, PACKED_TOKENS):
                places = {fitting[at]: path[wanted[at] :] for at, path in row.places.items()}
                yield Planned(row, row.mask(), places)

    def _row(self, plan: Planned) -> Tensor:
        """Hidden states (T, D) of one packed row under its ancestor mask."""
        allowed = torch.from_numpy(plan.mask).to(self.device)
        mask = torch.zeros(allowed.shape, dtype=self.dtype, device=self.device)
        mask.masked_fill_(~allowed, torch.finfo(self.dtype).min)
        return self.model.model(
            input_ids=torch.from_numpy(plan.row.ids)[None].to(self.device),
            position_ids=torch.from_numpy(plan.row.positions)[None].to(self.device),
            attention_mask=mask[None, None],
            use_cache=False,
        ).last_hidden_state[0]

    def _labels(self, last: Mapping[int, Tensor], requests: Sequence[Request]) -> dict[int, list[float]]:
        """Log-probabilities of each label request's labels after its last state (D,).

        The labels' rows are multiplied in f32; the normaliser is over the whole vocabulary, many requests
        to a product, because what such a product reads is the output layer's weights.
        """
        tokens = {
            at: self.label_ids(one.labels, one.prefill)[1]
            for at in last
            if isinstance(one := requests[at], LabelRequest)
        }
        found: dict[int, list[float]] = {}
        for part in batched(tokens, HEADS_AT_ONCE):
            states = torch.stack([last[at] for at in part])  # (B, D)
            # (B, V), bf16 products are good enough for a sum over 49,152 terms
            normaliser = torch.logsumexp((states @ self.head.T).float(), -1)
            union = sorted({token for at in part for token in tokens[at]})
            logits = states.float() @ self.head[union].float().T  # (B, U)
            rows = (logits - normaliser[:, None]).tolist()
            column = {token: place for place, token in enumerate(union)}
            found.update(
                {at: [row[column[token]] for token in tokens[at]] for at, row in zip(part, rows, strict=True)}
            )
        return found

    def _likelihood(self, hidden: Tensor, targets: Sequence[int], usage: Usage) -> Likelihood:
        """The sum of the targets' log-probabilities; hidden (n+1, D) stands one before each of the n
        targets.
        """
        if not targets:
            return Likelihood(0.0, 0, usage)
        logits = (hidden[:-1] @ self.head.T).float()  # (n, V)
        chosen = torch.tensor(targets, device=self.device)
        exact = (self.head[chosen].float() * hidden[:-1].float()).sum(-1)  # (n,) the targets' rows in f32
        return Likelihood(float((exact - torch.logsumexp(logits, -1)).sum()), len(targets), usage)

    def label_ids(self, labels: Sequence[str], prefill: str) -> tuple[list[int], list[int]]:
        """The tokens that `prefill` with any label begins with, and each label's first token of its own.

        Many tokenizers write " 1" as a space and a digit: then the space belongs to the prompt. Raises
        `LabelsCollide` where no token tells two labels apart.
        """
        key = (tuple(labels), prefill)
        if key not in self._labels_known:
            whole = [self._ids(prefill + label) for label in labels]
            common = min(shared(whole[0], other) for other in whole)
            if any(len(ids) <= common for ids in whole) or len({ids[common] for ids in whole}) < len(labels):
                raise LabelsCollide(labels=tuple(labels), model=self.name)
            self._labels_known[key] = whole[0][:common], [ids[common] for ids in whole]
        return self._labels_known[key]

    # ---------------------------------------------------------------- writing

    def _write(self, requests: Sequence[tuple[int, GenerateRequest]]) -> dict[int, Answer]:
        """Texts for each request; equal settings share a batch, the shortest prompts together."""
        # noqa: E731
        answers: dict[int, Answer] = {}
        for _, group in groupby(sorted(requests, key=_settings), key=_settings):
            batch = sorted(group, key=lambda pair: sum(len(m.content) for m in pair[1].messages))
            for at in range(0, len(batch), 8):
                part = batch[at : at + 8]
                answers.update(
                    zip([i for i, _ in part], self._generate([one for _, one in part]), strict=True)
                )
        return answers

    def _generate(self, requests: Sequence[GenerateRequest]) -> list[Answer]:
        first, start = requests[0], time.perf_counter()
        prompts = [self._ids(self.rendered(one.messages) + one.prefill) for one in requests]
        ids, mask = self._left_padded([prompt[-(self.window - first.max_tokens) :] for prompt in prompts])
        torch.manual_seed(first.seed)
        sampling: dict[str, Any] = {"do_sample": False}
        if first.temperature > 0:
            sampling = {"do_sample": True, "temperature": first.temperature, "top_p": 1.0, "top_k": 0}
        out = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=first.max_tokens,
            num_return_sequences=first.samples,
            pad_token_id=self._pad(),
            output_logits=True,
            return_dict_in_generate=True,
            **sampling,
        )
        written = out.sequences[:, ids.shape[1] :]  # (B * samples, n)
        means, counts = self._mean_logprobs(written, out.logits)
        seconds = (time.perf_counter() - start) / len(requests)
        answers: list[Answer] = []
        for at, prompt in enumerate(prompts):
            mine = slice(at * first.samples, (at + 1) * first.samples)
            texts = self.tokenizer.batch_decode(written[mine], skip_special_tokens=True)
            usage = Usage(read=len(prompt), written=sum(counts[mine]), seconds=seconds)
            answers.append(Texts(tuple(text.strip() for text in texts), tuple(means[mine]), usage))
        return answers

    def _mean_logprobs(self, written: Tensor, logits: Sequence[Tensor]) -> tuple[list[float], list[int]]:
        """Each sequence's mean log-probability a token up to its end, and its number of tokens."""
        steps = torch.stack(
            [
                torch.log_softmax(step.float(), -1).gather(1, written[:, k : k + 1])[:, 0]
                for k, step in enumerate(logits)
            ],
            1,
        )
        ends = torch.isin(written, torch.tensor(self._ends(), device=written.device))
        alive = ends.int().cumsum(1) - ends.int() == 0  # the end token itself counts
        counts = alive.sum(1).clamp(min=1)
        means = (steps * alive).sum(1) / counts
        return means.tolist(), counts.tolist()

    # ---------------------------------------------------------------- tokens

    def rendered(self, messages: Sequence[Message]) -> str:
        """The chat template's text for `messages`, open for the assistant's turn, with the tokenizer's own
        special tokens in the contents disarmed: a second wall behind the method's, which cannot know the
        tokenizer.
        """
        chat = [
            {"role": one.role, "content": neutralise_specials(one.content, self.specials)} for one in messages
        ]
        return str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))

    def opened(self, messages: Sequence[Message], speaker: str) -> str:
        """The chat template's text for `messages`, up to where the next turn of `speaker` begins."""
        if speaker == "assistant":
            return self.rendered(messages)
        chat = [*messages, Message(speaker, MARK)]
        plain = [
            {"role": one.role, "content": neutralise_specials(one.content, self.specials)} for one in chat
        ]
        text = str(self.tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=False))
        return text[: text.rindex(MARK)]

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _pad(self) -> int:
        pad = self.tokenizer.pad_token_id
        return int(pad if pad is not None else self._ends()[0])

    def _ends(self) -> list[int]:
        ends = self.model.generation_config.eos_token_id or self.tokenizer.eos_token_id
        return ends if isinstance(ends, list) else [ends]

    def _left_padded(self, prompts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """ids and mask (B, T), padded on the left as generation wants it."""
        longest = max(map(len, prompts))
        ids = torch.full((len(prompts), longest), self._pad())
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask[row, longest - len(prompt) :] = 1
        return ids.to(self.device), mask.to(self.device)


def batched(keys: Iterable[int], size: int) -> Iterator[list[int]]:
    """`keys` in lists of at most `size`."""
    rest = iter(keys)
    while part := list(islice(rest, size)):
        yield part


def _settings(asked: tuple[int, GenerateRequest]) -> tuple[int, float, int, int]:
    """What must be equal for two requests to be generated in one batch."""
    request = asked[1]
    return request.max_tokens, request.temperature, request.samples, request.seed


def ahead(rows: Iterator[T], depth: int) -> Iterator[T]:
    """`rows`, planned by a thread of their own up to `depth` ahead of the reader."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = deque(pool.submit(next, rows, None) for _ in range(depth))
        while (row := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, rows, None))
            yield row
