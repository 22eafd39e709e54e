from dataclasses import replace

import numpy as np
import pytest

from routing.belief import Scales, believe, fit, frame, left_out
from routing.effects import (
    GRID,
    GRID_WEIGHTS,
    Components,
    Design,
    Priors,
    VerdictModel,
    chances,
    joint,
    slopes,
    softmax,
)
from routing.questions import questions
from routing.table import Known
from tests.unit.routing.making import make_table

RNG = np.random.default_rng(1)


def small_model() -> tuple[Design, Priors, Components, np.ndarray]:
    pair = np.array([[0, 1], [1, 2], [0, 2], [3, 4], [4, 5], [-1, 5], [-1, -1]])
    design = Design(odd=RNG.normal(size=(7, 2)), even=np.ones((7, 1)), pair=pair)
    priors = Priors(mean=np.zeros(3), precision=np.full(3, 2.0), response=0.7, pair=0.5, tie=0.3)
    counts = np.eye(3)[[2, 2, 1, 0, 2, 0, 2]]
    return design, priors, Components(pair, 6), counts


def penalised(model: VerdictModel, weights: np.ndarray, responses: np.ndarray) -> float:
    """Minus the log-posterior, the pairs' own effects integrated out, written out plainly."""
    design, priors = model.design, model.priors
    padded = np.r_[responses, 0.0]  # index -1 is a response without an effect of its own
    f = design.odd @ weights[:2] + padded[design.pair[:, 1]] - padded[design.pair[:, 0]]
    t = design.even @ weights[2:]
    deviation = np.sqrt(priors.variances(design))
    total = 0.0
    for row, count in enumerate(model.counts):
        chance = softmax(f[row] + deviation[row, 0] * GRID[:, 0], t[row] + deviation[row, 1] * GRID[:, 1])
        total += float(np.log(GRID_WEIGHTS @ np.prod(chance**count, axis=1)))
    prior = (priors.precision * weights**2).sum() + (responses**2).sum() / priors.response
    return float(prior / 2 - total)


def test_the_mode_is_a_minimum_in_every_direction() -> None:
    design, priors, components, counts = small_model()
    model = VerdictModel(priors, components).fit(design, counts)
    best = penalised(model, model.weights_, model.responses_)
    for _ in range(50):
        shifted = [
            RNG.normal(scale=0.01, size=part.shape) + part for part in (model.weights_, model.responses_)
        ]
        assert penalised(model, *shifted) >= best - 1e-9


def test_slopes_are_those_of_the_value() -> None:
    mean, variance = RNG.normal(size=(6, 2)), np.tile([2.0, 0.7], (6, 1))
    counts = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [2, 0, 1], [0, 3, 0], [1, 1, 1]], dtype=float)
    _, gradient, curve = slopes(mean, variance, counts)
    for row in range(6):
        for side in range(2):
            step = np.zeros((6, 2))
            step[row, side] = 1e-4
            up, down = slopes(mean + step, variance, counts), slopes(mean - step, variance, counts)
            assert (up[0] - down[0]) / 2e-4 == pytest.approx(gradient[row, side], abs=1e-6)
            np.testing.assert_allclose((up[1][row] - down[1][row]) / 2e-4, curve[row, side], atol=1e-6)


@pytest.mark.parametrize("reliable", [0.3, 1.0, 2.0])
def test_one_label_a_pair_says_nothing_of_how_reliable_people_are(reliable: float) -> None:
    """Where no response is met twice, the left-out score hardly depends on the scale that it cannot tell."""
    table, people = make_table(prompts=300, models=2, judges=1, noise=reliable)
    table = replace(table, models=(), model_of=np.full_like(table.model_of, -1))
    known = Known(
        instance=np.arange(table.size), rater=people.rater[: table.size], verdict=people.verdict[: table.size]
    )
    framed = frame(table)
    counts = framed.asked.counts(known)
    scores = [left_out(fit(framed, counts, table, Scales(scale, 0.2), None)) for scale in (0.4, 0.8, 1.6)]
    assert max(scores) - min(scores) < 4.0


def test_where_labels_cannot_tell_the_prior_decides_how_reliable_people_are() -> None:
    table, people = make_table(prompts=100, models=2, judges=1, noise=1.0)
    few = np.arange(20)
    known = Known(instance=few, rater=people.rater[few], verdict=people.verdict[few])
    unsure, sure = (believe(table, known, prior=Scales(scale, 0.2)).scales.response for scale in (0.4, 1.6))
    assert unsure < sure


@pytest.mark.parametrize("seed", range(3))
def test_reliable_people_are_found_out_when_half_of_the_pairs_are_labelled(seed: int) -> None:
    """Fewer than one label a response: a score that mistakes a wide prior for a bad one sees noise here."""
    table, people = make_table(prompts=100, models=3, judges=1, noise=0.2, seed=seed)
    half = np.arange(0, table.size, 2)
    known = Known(instance=half, rater=people.rater[half], verdict=people.verdict[half])
    assert believe(table, known).scales.response > 0.6


def test_swapping_the_responses_swaps_the_probabilities() -> None:
    design, priors, components, counts = small_model()
    turned = Design(odd=-design.odd, even=design.even, pair=design.pair[:, ::-1])
    one = VerdictModel(priors, components).fit(design, counts).latent(design)
    other = VerdictModel(priors, Components(turned.pair, 6)).fit(turned, counts[:, ::-1]).latent(turned)
    np.testing.assert_allclose(joint(one), joint(other)[:, ::-1, ::-1], atol=1e-6)


def test_the_cavity_is_close_to_leaving_the_label_out() -> None:
    design, priors, components, counts = small_model()
    whole = VerdictModel(priors, components).fit(design, counts).cavity()
    for row in range(len(counts)):
        rest = np.delete(np.arange(len(counts)), row)
        refitted = VerdictModel(priors, components).fit(design.rows(rest), counts[rest])
        left_out = refitted.latent(design.rows(np.array([row])))
        np.testing.assert_allclose(whole.mean[row], left_out.mean[0], atol=0.05)


def test_the_variance_of_a_difference_matches_the_plain_inverse() -> None:
    design, priors, components, counts = small_model()
    model = VerdictModel(priors, components).fit(design, counts)
    incidence = np.zeros((7, 6))
    for row, (a, b) in enumerate(design.pair):
        if b >= 0:
            incidence[row, b] += 1
        if a >= 0:
            incidence[row, a] -= 1
    forward = np.hstack([model.forward, incidence])
    even = np.hstack([model.even, np.zeros((7, 6))])
    w = model.weight
    hessian = np.diag(np.r_[priors.precision, np.full(6, 1 / priors.response)])
    for a, b, rows in (
        (forward, forward, w[:, 0, 0]),
        (forward, even, w[:, 0, 1]),
        (even, forward, w[:, 1, 0]),
        (even, even, w[:, 1, 1]),
    ):
        hessian += a.T @ (rows[:, None] * b)
    covariance = np.linalg.inv(hessian)
    _, spread = model._believe(design)
    np.testing.assert_allclose(
        spread[:, 0, 0], np.einsum("ni,ij,nj->n", forward, covariance, forward), rtol=1e-6
    )
    np.testing.assert_allclose(
        spread[:, 0, 1], np.einsum("ni,ij,nj->n", forward, covariance, even), rtol=1e-5, atol=1e-9
    )


def test_chances_are_probabilities_and_the_joint_is_symmetric() -> None:
    design, priors, components, counts = small_model()
    latent = VerdictModel(priors, components).fit(design, counts).latent(design)
    np.testing.assert_allclose(chances(latent).sum(axis=-1), 1.0)
    together = joint(latent)
    np.testing.assert_allclose(together, together.transpose(0, 2, 1), atol=1e-12)
    np.testing.assert_allclose(together.sum(axis=(1, 2)), 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_content_asked_twice_is_one_question(seed: int) -> None:
    table, _ = make_table(prompts=2, seed=seed)
    assert questions(table).size == table.size
    doubled = replace(
        table,
        prompt=np.r_[table.prompt, table.prompt],
        pair=np.vstack([table.pair, table.pair[:, ::-1]]),
        ids=table.ids + tuple(f"{name}'" for name in table.ids),
        cache={},
    )
    asked = questions(doubled)
    assert asked.size == table.size
    assert (asked.flip[: table.size] == -asked.flip[table.size :]).all()
