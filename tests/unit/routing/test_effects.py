from dataclasses import replace

import numpy as np
import pytest

from routing.effects import Components, Design, Priors, VerdictModel, chances, joint, softmax
from routing.questions import questions
from tests.unit.routing.making import make_table

RNG = np.random.default_rng(1)


def small_model() -> tuple[Design, Priors, Components, np.ndarray]:
    pair = np.array([[0, 1], [1, 2], [0, 2], [3, 4], [4, 5], [-1, 5], [-1, -1]])
    design = Design(odd=RNG.normal(size=(7, 2)), even=np.ones((7, 1)), pair=pair)
    priors = Priors(mean=np.zeros(3), precision=np.full(3, 2.0), response=0.7, pair=0.5, tie=0.3)
    counts = np.eye(3)[[2, 2, 1, 0, 2, 0, 2]]
    return design, priors, Components(pair, 6), counts


def penalised(model: VerdictModel, weights: np.ndarray, responses: np.ndarray, effects: np.ndarray) -> float:
    """Minus the log-posterior, written out plainly."""
    design, priors = model.design, model.priors
    padded = np.r_[responses, 0.0]  # index -1 is a response without an effect of its own
    f = design.odd @ weights[:2] + padded[design.pair[:, 1]] - padded[design.pair[:, 0]] + effects[:, 0]
    t = design.even @ weights[2:] + effects[:, 1]
    likelihood = (np.log(softmax(f, t)) * model.counts).sum()
    prior = (priors.precision * weights**2).sum() + (responses**2).sum() / priors.response
    prior += (effects**2 / priors.variances(design)).sum()
    return float(prior / 2 - likelihood)


def test_the_mode_is_a_minimum_in_every_direction() -> None:
    design, priors, components, counts = small_model()
    model = VerdictModel(priors, components).fit(design, counts)
    best = penalised(model, model.weights_, model.responses_, model.effects_)
    for _ in range(50):
        shifted = [
            RNG.normal(scale=0.01, size=part.shape) + part
            for part in (model.weights_, model.responses_, model.effects_)
        ]
        assert penalised(model, *shifted) >= best - 1e-9


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
