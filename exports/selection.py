"""Which pairs an export keeps, and why it drops the others: the choices, one test each.

Tests run in the order of their cost and the first that fails names the reason. A few choices need
to know the whole selection first (halves, balance): they make a survey in a pass of its own.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from re import Pattern
from typing import Any

import numpy as np

from exports.choices import Choices
from exports.cleaning import Cleaner, Parts
from exports.formats.base import Format, Reads
from exports.records import BOTH_BAD, TIE, UNDECIDED, Pair
from exports.scrubbing import PERSONAL, SECRETS, found, mask
from exports.seen import Seen
from exports.splitting import unit
from exports.tokens import count_tokens, load_tokenizer
from ledger.trajectories import written

Keep = Callable[[Pair], bool]
Test = tuple[str, Keep]
Reread = Callable[[], Iterator[Pair]]


@dataclass
class Tally:
    """What a selection did: rows read, rows kept, and how many each reason dropped."""

    read: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "kept": self.kept,
            "dropped": dict(sorted(self.dropped.items())),
            "masked": dict(sorted(self.masked.items())),
        }


class Selector:
    """The choices as one filter over pairs, with its tally.

    `reread` gives all pairs again, for choices that must survey the selection before they can choose.
    """

    def __init__(self, choices: Choices, reread: Reread) -> None:
        self.choices, self.tally = choices, Tally()
        self.checks = tests(choices)
        if needs_survey(choices):
            self.checks += surveyed(reread, choices)
        self.finish = finish(choices, self.tally)

    def pairs(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """The pairs that the choices keep, ties as they want them."""
        tally, checks, finish = self.tally, self.checks, self.finish
        for pair in pairs:
            tally.read += 1
            for reason, keep in checks:
                if not keep(pair):
                    tally.dropped[reason] += 1
                    break
            else:
                yield from finish(pair)


class CaseSelector:
    """The choices over whole instances, for formats that are made of those.

    Where a format gives a row for each pair, the tally counts pairs; else instances, and what its rows say of their
    source and agreement is looked at row by row (`rows`).
    """

    def __init__(self, choices: Choices, reread: Reread, entry: Format) -> None:
        self.choices, self.entry = choices, entry
        self.slices = slices(choices)
        alone = not entry.of_pairs
        self.cleaner = Cleaner(choices, whole=entry.whole, marked=entry.marked, alone=alone)
        texts = {
            "secrets": "keep",
            "personal": "keep",
        }  # an instance's are looked at before its pairs are made
        of_pairs = Choices(**{**choices.as_dict(), **texts, **(BESIDE if alone else {})})
        self.selector = Selector(of_pairs, reread)
        self.tally = Tally() if alone else self.selector.tally
        self.narrow = self.selector.pairs

    def admit(self, parts: Parts, *, preferences: int) -> Parts | None:
        """The instance's parts as they may be written; None where a choice drops it, which is counted."""
        alone = not self.entry.of_pairs
        unwanted = next((reason for reason, matches in self.slices if not matches(parts.metadata)), "")
        held, reason, kinds = (None, unwanted, set()) if unwanted else self.cleaner(parts)
        if held is None and not alone:
            self.tally.read += preferences
            self.tally.dropped[reason] += preferences
        elif alone:
            self.tally.read += 1
            self.tally.kept += held is not None
            self.tally.dropped.update([reason] if held is None else [])
        self.tally.masked.update(kinds)
        return held

    def rows(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows whose own source and agreement the choices want."""
        least, source = self.choices.min_agreement, self.choices.source
        if self.entry.of_pairs or (source == "any" and not least):
            yield from rows
            return
        for row in rows:
            if source != "any" and row.get("source", source) != source:
                self.tally.dropped[f"not settled by {source}"] += 1
            elif (
                least
                and "agreement" in row
                and not isinstance(row["agreement"], list)
                and (row["agreement"] or 0.0) < least
            ):
                self.tally.dropped[f"agreement below {least:g}"] += 1
            else:
                yield row


# What speaks of pairs alone: of no effect on the pairs that stand beside a format's rows as evidence.
BESIDE = {
    "balance": "none",
    "half": "whole",
    "max_tokens": 0,
    "deduplicate": False,
    "pairs_per_prompt": 0,
    "language": "",
    "where": "",
}
OF_PAIRS = ("ties", "undecided", "min_margin", "pairs", "pairs_per_prompt", "identical", "balance", "half")


def unheeded(choices: Choices, entry: Format) -> list[str]:
    """The choices that were made and say nothing about this format's rows."""
    if entry.reads is Reads.PAIRS or entry.of_pairs:
        return []
    heeded = ("min_margin", "pairs") if entry.name == "trl-unpaired" else ()
    return [name for name in choices.changed() if name in OF_PAIRS and name not in heeded]


def tests(choices: Choices) -> list[Test]:
    """The tests that look at one pair at a time, cheapest first; only those that are asked for."""
    return [*outcome_tests(choices), *figure_tests(choices), *metadata_tests(choices), *text_tests(choices)]


def outcome_tests(choices: Choices) -> list[Test]:
    checks: list[Test] = []
    if choices.undecided == "drop":
        checks.append(("undecided", lambda pair: pair.outcome != UNDECIDED))
    if choices.ties == "drop":
        checks.append(("tie", lambda pair: pair.outcome != TIE))
        checks.append(("both bad", lambda pair: pair.outcome != BOTH_BAD))
    if choices.source != "any":
        checks.append((f"not settled by {choices.source}", lambda pair: pair.source == choices.source))
    return checks


def figure_tests(choices: Choices) -> list[Test]:
    checks: list[Test] = []
    if choices.min_margin:
        checks.append(
            (f"margin below {choices.min_margin:g}", lambda pair: pair.margin >= choices.min_margin)
        )
    if choices.min_agreement:
        reason = f"agreement below {choices.min_agreement:g}"
        checks.append((reason, lambda pair: (pair.agreement or 0.0) >= choices.min_agreement))
    return checks


def metadata_tests(choices: Choices) -> list[Test]:
    return [(reason, partial(pair_matches, matches)) for reason, matches in slices(choices)]


def pair_matches(matches: Callable[[dict[str, Any]], bool], pair: Pair) -> bool:
    return matches(pair.metadata)


def slices(choices: Choices) -> list[tuple[str, Callable[[dict[str, Any]], bool]]]:
    """(reason, test of an instance's metadata) for the chosen language and slices."""
    wanted = {**({"language": choices.language} if choices.language else {}), **choices.conditions()}
    return [(f"{key} is not {value}", partial(has, key, value)) for key, value in wanted.items()]


def has(key: str, value: str, metadata: dict[str, Any]) -> bool:
    """Whether the metadata's `key` reads as `value`."""
    return metadata.get(key) is not None and str(metadata[key]) == value


def text_tests(choices: Choices) -> list[Test]:
    checks: list[Test] = []
    if choices.identical == "drop":
        checks.append(("two equal texts", lambda pair: reply_text(pair, True) != reply_text(pair, False)))
    if choices.deduplicate:
        checks.append(("duplicate", Once()))
    if choices.max_tokens:
        tokenizer = load_tokenizer(choices.tokenizer)
        checks.append((f"over {choices.max_tokens} tokens", partial(fits, tokenizer, choices.max_tokens)))
    for chosen, name, patterns in (("secrets", "a secret", SECRETS), ("personal", "personal data", PERSONAL)):
        if getattr(choices, chosen) == "drop":
            checks.append((name, partial(is_free_of, patterns)))
    if choices.pairs_per_prompt:
        checks.append(("over the cap per prompt", Capped(choices.pairs_per_prompt)))
    return checks


def is_free_of(patterns: dict[str, Pattern[str]], pair: Pair) -> bool:
    """Whether nothing in the pair's texts has the shape of one of the patterns."""
    return not any(found(all_text(pair), patterns))


class Once:
    """Lets each (prompt, chosen, rejected) through once; 64 bits a pair make a false hit unlikely."""

    def __init__(self) -> None:
        self.seen = Seen()

    def __call__(self, pair: Pair) -> bool:
        texts = "\x00".join((pair.aspect, prompt_text(pair), reply_text(pair, True), reply_text(pair, False)))
        return self.seen(texts) == 1


class Capped:
    """Lets the first `cap` pairs of each prompt and aspect through."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.seen = Seen()

    def __call__(self, pair: Pair) -> bool:
        return self.seen(f"{pair.group}/{pair.aspect}") <= self.cap


def fits(tokenizer: Any, most: int, pair: Pair) -> bool:
    """Whether system message, prompt and the response of more tokens have at most `most` together."""
    asked = "\n".join(filter(None, (pair.system, prompt_text(pair))))
    longest = max(count_tokens(tokenizer, reply_text(pair, chosen)) for chosen in (True, False))
    return count_tokens(tokenizer, asked) + longest <= most


# ---------------------------------------------------------------- what needs a survey


def needs_survey(choices: Choices) -> bool:
    return choices.half != "whole" or choices.balance != "none"


def surveyed(reread: Reread, choices: Choices) -> list[Test]:
    """The tests whose thresholds come from a pass over what the other tests keep."""
    kept = Selector(without_survey(choices), reread).pairs(reread())
    margins, names, kinds = array("d"), array("d"), Counter[str]()
    kind_of = KINDS.get(choices.balance, lambda pair: "")
    for pair in kept:
        margins.append(pair.margin)
        names.append(unit(pair.row, seed=choices.seed))
        kinds[kind_of(pair)] += 1
    checks: list[Test] = []
    if choices.half != "whole":
        checks.append((f"not in the {choices.half} half", half_test(choices, margins, names)))
    if choices.balance != "none":
        checks.append((f"to balance {choices.balance}", balance_test(choices, kinds)))
    return checks


def without_survey(choices: Choices) -> Choices:
    return Choices(**{**choices.as_dict(), "half": "whole", "balance": "none"})


def half_test(choices: Choices, margins: "array[float]", places: "array[float]") -> Keep:
    """Keeps the half with the larger (easy) or smaller (hard) margins; equal margins are drawn by row id."""
    if not margins:
        return lambda pair: True
    order = np.lexsort((np.frombuffer(places), np.frombuffer(margins)))
    middle = len(order) // 2
    edge = (margins[order[middle]], places[order[middle]])
    easy = choices.half == "easy"
    return lambda pair: ((pair.margin, unit(pair.row, seed=choices.seed)) >= edge) == easy


def longer(pair: Pair) -> str:
    """Whether chosen is the longer, the shorter or as long."""
    chosen, rejected = len(reply_text(pair, True)), len(reply_text(pair, False))
    return "longer" if chosen > rejected else "shorter" if chosen < rejected else ""


def first(pair: Pair) -> str:
    """Whether chosen stands before rejected in the instance."""
    return "first" if pair.chosen_index < pair.rejected_index else "second"


KINDS: dict[str, Callable[[Pair], str]] = {"length": longer, "position": first}


def balance_test(choices: Choices, kinds: Counter[str]) -> Keep:
    """Thins the more frequent of two kinds to the size of the other, drawn by row id."""
    kind_of = KINDS[choices.balance]
    counted = {kind: count for kind, count in kinds.items() if kind}
    least = min(counted.values()) if len(counted) == 2 else 0
    share = {kind: least / count for kind, count in counted.items()}
    return lambda pair: unit(pair.row, seed=choices.seed + 1) < share.get(kind_of(pair), 1.0)


# ---------------------------------------------------------------- what comes out


def finish(choices: Choices, tally: Tally) -> Callable[[Pair], Iterable[Pair]]:
    """Masks where that is chosen, and writes ties both ways where that is; counts what is kept."""
    patterns = {
        **(SECRETS if choices.secrets == "mask" else {}),
        **(PERSONAL if choices.personal == "mask" else {}),
    }
    both = choices.ties == "both"

    def shape(pair: Pair) -> Iterable[Pair]:
        if patterns:
            pair = masked(pair, patterns, tally)
        out = (pair, pair.turned()) if both and not pair.preferred else (pair,)
        tally.kept += len(out)
        return out

    return shape


def masked(pair: Pair, patterns: dict[str, Any], tally: Tally) -> Pair:
    """The pair with every find replaced by its kind; each kind counts once a pair."""
    kinds: set[str] = set()

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            text, hits = mask(value, patterns)
            kinds.update(hits)
            return text
        if isinstance(value, list):
            return [{"role": message["role"], "content": clean(written(message))} for message in value]
        return value

    names = ("prompt", "system", "chosen", "rejected", "chosen_messages", "rejected_messages")
    pair = pair._replace(**{name: clean(getattr(pair, name)) for name in names})
    tally.masked.update(kinds)
    return pair


# ---------------------------------------------------------------- texts


def plain(value: Any) -> str:
    """The text of a prompt or a continuation."""
    if isinstance(value, list):
        return "\n".join(written(message) for message in value)
    return value or ""


def prompt_text(pair: Pair) -> str:
    return plain(pair.prompt)


def reply_text(pair: Pair, chosen: bool) -> str:
    if chosen:
        return plain(pair.chosen_messages) or pair.chosen
    return plain(pair.rejected_messages) or pair.rejected


def all_text(pair: Pair) -> str:
    return "\n".join((pair.system or "", prompt_text(pair), reply_text(pair, True), reply_text(pair, False)))
