"""A promise about the verdicts that nobody checks: their agreement with people is at least a target.

Instances are ordered by how safe the judge's verdict looks, from a model that never saw the audit's answers. Sets
of the safest are tested one after the other, those first that the model expects to pass most clearly, each at the
full level, until one fails (fixed-sequence testing, Maurer, Hothorn and Lehmacher 1995; for selective judging
Jung et al. 2025, "Trust or Escalate"): the chance that the promise made is broken stays at most 1 - confidence,
because the order is fixed before the answers are read. Each test is exact for a finite set: the audit is a simple
random sample of it, and the promise is about the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log

import numpy as np
from scipy.special import gammaln

from routing.table import Floats, Ints, Mask

STEP = 0.05  # of all instances, by which the tested set grows
FIRST_SPARE = 2.0  # the first set has this many times the audits that could pass at best
LARGEST_NEED = 100_000  # audits; more is no plan
SLICE_AUDITS = (
    200  # a slice with fewer cannot carry a promise of its own: at 0.85, 19 of them must be without fault
)


@dataclass(frozen=True, slots=True, eq=False)
class Promise:
    """What can be promised: `accepted` (n,) keep the judge's verdict unseen.

    `audited` and `agreed` count the audits inside the accepted set (of the first tested set where none passed);
    `needed` is how many audits there a promise for it would have needed, None where no number would do.
    """

    target: float
    confidence: float
    accepted: Mask
    audited: int
    agreed: int
    needed: int | None
    slices: int = 1  # in how many parts of the project it was tested apart

    @property
    def kept(self) -> bool:
        return bool(self.accepted.any())

    def sentence(self) -> str:
        """What the admin reads."""
        share = f"{self.target:.0%}"
        if self.kept:
            apart = f", tested apart in {self.slices} slices" if self.slices > 1 else ""
            return (
                f"With {self.confidence:.0%} confidence the judge agrees with people on at least {share} of the "
                f"{int(self.accepted.sum())} instances that nobody checks: {self.agreed} of {self.audited} "
                f"audits{apart}."
            )
        found = f"{self.agreed} of {self.audited} audits of the safest instances agree"
        if self.needed is None:
            return f"No promise of {share} can be made here: {found}, and more audits would not change that."
        return f"No promise of {share} yet: {found}; about {self.needed} audits of them would be needed."


def tail(*, population: int, sample: int, hits: int, target: float) -> float:
    """The exact p-value of "the unsampled part agrees in less than `target`".

    The sample (hits of sample) was drawn by lot from the population. The most agreements that the population
    could have while its rest falls short is hits + ⌈target × rest⌉ - 1; under it the sample's hits are
    hypergeometric.
    """
    rest = population - sample
    if rest <= 0:
        return 0.0
    short = ceil(target * rest - 1e-9) - 1
    if short < 0:
        return 0.0
    good = hits + short
    drawn = np.arange(hits, min(good, sample) + 1)
    odds = choose(good, drawn) + choose(population - good, sample - drawn) - choose(population, sample)
    return float(min(1.0, np.exp(odds).sum()))


def choose(n: float, k: Floats | Ints | int) -> Floats:
    """log(n choose k); -inf where there is no such choice."""
    k = np.asarray(k, dtype=float)
    inside = (k >= 0) & (k <= n)
    held = np.where(inside, k, 0.0)
    return np.where(inside, gammaln(n + 1) - gammaln(held + 1) - gammaln(n - held + 1), -np.inf)


def fewest_audits(target: float, confidence: float) -> int:
    """Audits that could pass at best, all of them agreeing: log(1 - confidence) / log(target)."""
    return ceil(log(1 - confidence) / log(target))


def test_sets(safety: Floats, audits: Mask, *, target: float, confidence: float) -> list[Mask]:
    """Sets of the safest instances in the order of testing: from the scores and the audit's places alone.

    The clearest comes first: the expected excess over the target in standard errors of its audit.
    """
    order = np.argsort(-safety, kind="stable")
    audited = np.cumsum(audits[order])
    enough = FIRST_SPARE * fewest_audits(target, confidence)
    sizes = np.unique(np.r_[np.arange(1, round(1 / STEP)) * floor(STEP * len(safety)), len(safety)])
    sizes = sizes[(sizes > 0) & (audited[np.maximum(sizes, 1) - 1] >= enough)]
    expected = np.cumsum(safety[order])[sizes - 1] / sizes
    clearness = (expected - target) * np.sqrt(audited[sizes - 1])
    place = np.empty(len(safety), dtype=np.int64)
    place[order] = np.arange(len(safety))
    return [place < size for size in sizes[np.argsort(-clearness, kind="stable")]]


def promise(safety: Floats, audits: Ints, agrees: Mask, *, target: float, confidence: float) -> Promise:
    """The largest promise that the audit supports.

    safety (n,): higher is safer, made without the audit's answers; audits (a,): audited instances, a simple
    random sample of all n; agrees (a,): whether the person said what the judge says.
    """
    drawn, hit = np.zeros(len(safety), dtype=bool), np.zeros(len(safety), dtype=bool)
    drawn[audits], hit[audits] = True, agrees
    accepted = np.zeros(len(safety), dtype=bool)
    tested = test_sets(safety, drawn, target=target, confidence=confidence)
    first = tested[0] if tested else drawn
    for inside in tested:
        sample, hits = int((inside & drawn).sum()), int((inside & hit).sum())
        if tail(population=int(inside.sum()), sample=sample, hits=hits, target=target) > 1 - confidence:
            break
        accepted = inside if inside.sum() > accepted.sum() else accepted
    about = accepted if accepted.any() else first
    sample, hits = int((about & drawn).sum()), int((about & hit).sum())
    return Promise(
        target=target,
        confidence=confidence,
        accepted=accepted & ~drawn,
        audited=sample,
        agreed=hits,
        needed=None if accepted.any() else needed(sample, hits, int(about.sum()), target, confidence),
    )


def promise_by_slice(
    safety: Floats, audits: Ints, agrees: Mask, slices: Ints, *, target: float, confidence: float
) -> Promise:
    """The promise tested apart in every slice with audits enough, and in all others together.

    slices (n,): codes. The chance of a broken promise is shared among the parts (Bonferroni), so that all of them
    hold together at `confidence`; parts that fail go to people.
    """
    parts = slice_parts(slices, audits)
    share = 1 - (1 - confidence) / len(parts)
    found = []
    for rows in parts:
        place = np.full(len(safety), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        inside = place[audits] >= 0
        found.append(
            promise(safety[rows], place[audits[inside]], agrees[inside], target=target, confidence=share)
        )
    return joined(found, parts, len(safety), confidence=confidence)


def slice_parts(slices: Ints, audits: Ints) -> list[Ints]:
    """The rows of each slice with at least `SLICE_AUDITS` audits, and last those of all others together."""
    codes, count = np.unique(slices[audits], return_counts=True)
    large = codes[count >= SLICE_AUDITS]
    parts = [np.flatnonzero(slices == code) for code in large]
    rest = np.flatnonzero(~np.isin(slices, large))
    return parts + [rest] if len(rest) else parts


def joined(found: list[Promise], parts: list[Ints], size: int, *, confidence: float) -> Promise:
    """One promise of several parts: what was kept, or else what all of them would need."""
    accepted = np.zeros(size, dtype=bool)
    for made, rows in zip(found, parts, strict=True):
        accepted[rows] = made.accepted
    told = [made for made in found if made.kept] or found
    needs = [made.needed for made in told]
    return Promise(
        target=found[0].target,
        confidence=confidence,
        accepted=accepted,
        audited=sum(made.audited for made in told),
        agreed=sum(made.agreed for made in told),
        needed=None if accepted.any() or None in needs else sum(need for need in needs if need),
        slices=len(parts),
    )


def needed(sample: int, hits: int, population: int, target: float, confidence: float) -> int | None:
    """Audits at which the rate seen would support the promise; None where it lies below the target."""
    rate = hits / sample if sample else target + (1 - target) / 2
    if rate <= target:
        return None
    size = max(sample, fewest_audits(target, confidence))
    while size < LARGEST_NEED:
        whole = max(population, 10 * size)
        if tail(population=whole, sample=size, hits=floor(rate * size), target=target) <= 1 - confidence:
            return size
        size = ceil(size * 1.1)
    return None
