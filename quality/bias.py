"""What sways a rater besides the text's quality: the position on the screen, the length, the layout."""

import re
from dataclasses import dataclass

import numpy as np

from quality.intervals import Estimate, proportion, wilson
from quality.logistic import logistic
from quality.verdicts import FIRST, SECOND, TIE, Bools, Floats, Folded, Ints

UNKNOWN_ORDER = -1  # beside the index of the response that was shown first

STYLE = {
    "lists": re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+", re.MULTILINE),
    "headers": re.compile(r"^\s*#{1,6}\s+\S", re.MULTILINE),
    "bold": re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
}


# ---------------------------------------------------------------- position


def chose_first_shown(verdicts: Ints, shown_first: Ints) -> tuple[Bools, Bools]:
    """Whether each verdict prefers the response shown first, (V,), and whether it can be said, (V,).

    shown_first: (V,) 0 or 1, the response that was shown first or left; -1 unknown.
    """
    known = (shown_first != UNKNOWN_ORDER) & (verdicts != TIE)
    preferred = np.where(verdicts == SECOND, 1, 0)
    return known & (preferred == shown_first), known


@dataclass(frozen=True, slots=True)
class RaterShares:
    """A share for each rater, with its Wilson interval. All (R,)."""

    successes: Ints
    n: Ints
    low: Floats
    high: Floats


def position_bias_by_rater(raters: Ints, verdicts: Ints, shown_first: Ints, *, n_raters: int) -> RaterShares:
    """The share of each rater's decided verdicts that prefer the response shown first; 0.5 is unbiased."""
    chose, known = chose_first_shown(verdicts, shown_first)
    successes = np.bincount(raters, weights=chose, minlength=n_raters).astype(int)
    n = np.bincount(raters, weights=known, minlength=n_raters).astype(int)
    return RaterShares(successes, n, *wilson(successes, n))


def flip_rate(folded: Folded) -> Estimate:
    """The share of items with several orders whose verdict changes with the order."""
    return flip_rate_of(folded.orders > 1, folded.consistent)


def flip_rate_of(several: Bools, consistent: Bools) -> Estimate:
    """The same by item, (I,): judged in several orders, and alike in each."""
    return proportion(int((several & ~consistent).sum()), int(several.sum()))


# ---------------------------------------------------------------- length and layout


def doublings(first: Ints, second: Ints) -> Floats:
    """log2 of how many times longer the second text is, (V,); lengths in characters."""
    return np.log2(np.asarray(second, dtype=float) + 1) - np.log2(np.asarray(first, dtype=float) + 1)


def preference(verdicts: Ints) -> Floats:
    """1 where the second response is preferred, 0 where the first is, 0.5 for a tie."""
    return (np.asarray(verdicts, dtype=float) - FIRST) / 2


def length_slope(verdicts: Ints, first: Ints, second: Ints, *, items: Ints) -> Estimate:
    """The change of log-odds of being preferred for each doubling of a response's length.

    Logistic regression without intercept of the preference on `doublings`, errors clustered by
    item. 0: length does not matter; 0.7: twice as long doubles the odds. first, second: (V,) lengths.
    """
    return style_slopes(verdicts, doublings(first, second)[:, None], items=items)[0]


def follows_length(verdicts: Ints, first: Ints, second: Ints) -> bool:
    """Whether length alone gives every decided verdict, so that no finite slope describes them."""
    pull = np.sign(np.asarray(second) - first) * np.asarray(verdicts)
    decided = pull[(np.asarray(verdicts) != TIE) & (first != second)]
    return bool(len(decided)) and (bool((decided > 0).all()) or bool((decided < 0).all()))


def style_slopes(verdicts: Ints, differences: Floats, *, items: Ints) -> list[Estimate]:
    """The slopes of several features, each given the others; differences: (V, F), second less first."""
    if not len(verdicts):
        return [Estimate(None, 0)] * differences.shape[1]
    fit = logistic(differences, preference(verdicts), clusters=items)
    return [fit.estimate(position) for position in range(differences.shape[1])]


def style_counts(text: str) -> list[int]:
    """How many lists' items, headers and bold spans a text has, in the order of `STYLE`."""
    return [len(pattern.findall(text)) for pattern in STYLE.values()]
