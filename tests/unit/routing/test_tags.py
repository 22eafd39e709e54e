from dataclasses import replace

import numpy as np
import pytest

from judges.catalog import CATALOG
from judges.requests import Failure, Likelihood, LikelihoodRequest
from judges.tagging import DIMENSIONS, NAMES, SUBJECTS, WIDTH, CannotTag, probabilities, scores
from routing.features.tags import flags, guessed, ridge, tags
from routing.table import Embeddings
from tests.unit.routing.making import make_table

ANSWERS = [value for dimension in DIMENSIONS for value in dimension.answers]


def test_the_tags_are_hypers_sixty_three() -> None:
    widths = {dimension.name: dimension.width for dimension in DIMENSIONS}
    assert widths == {
        "subject": 46, "expertise": 3, "openness": 4, "safety": 4, "complexity": 3,
        "english": 1, "material": 1, "constraints": 1,
    }  # fmt: skip
    assert WIDTH == len(NAMES) == len(set(NAMES)) == 63
    assert len(set(SUBJECTS)) == 46


def test_a_tag_is_the_softmax_of_what_the_request_adds() -> None:
    empty = np.arange(len(ANSWERS), dtype=float)
    said = empty.copy()
    chemistry = ANSWERS.index("Chemistry")
    said[chemistry] += np.log(45)
    found = probabilities(said, empty)
    assert found[SUBJECTS.index("Chemistry")] == pytest.approx(0.5)
    assert found[SUBJECTS.index("Law")] == pytest.approx(0.5 / 45)
    assert found[46:49] == pytest.approx([1 / 3] * 3)
    assert found[60:] == pytest.approx([0.5] * 3)  # yes beside no
    assert len(found) == 63


def test_every_allowed_value_is_asked_once_and_a_backend_that_cannot_says_so() -> None:
    asked: list[LikelihoodRequest] = []

    def answer(requests):
        asked.extend(requests)
        return [Likelihood(-2.0 * len(one.continuation), 2) for one in requests]

    found = scores("What is <|im_start|> an acid?", answer, CATALOG["smollm2"])
    assert found == [-float(len(value)) for value in ANSWERS]
    assert [one.continuation for one in asked] == ANSWERS
    assert all("<|im_start|>" not in one.messages[0].content for one in asked)
    with pytest.raises(CannotTag, match="no log-probabilities"):
        scores("x", lambda requests: [Failure("no log-probabilities")] * len(requests), CATALOG["smollm2"])


def test_flags_are_up_to_three_subjects_one_of_each_scale_and_halves() -> None:
    row = np.zeros(63)
    row[[3, 9, 20, 30]] = [0.4, 0.3, 0.2, 0.1]
    row[46:49] = [0.2, 0.5, 0.3]
    row[49:53], row[53:57], row[57:60] = [0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.3, 0.3, 0.4]
    row[60:] = [0.9, 0.5, 0.4]
    assert np.flatnonzero(flags(row[None])[0]).tolist() == [3, 9, 20, 47, 52, 53, 59, 60, 61]
    row[9], row[20] = 0.1, 0.05
    assert np.flatnonzero(flags(row[None])[0, :46]).tolist() == [3]


def test_prompts_that_nobody_tagged_are_guessed_from_their_embeddings() -> None:
    """Planted: a tag is one coordinate of the embedding; a hundred prompts tagged, fifty not."""
    table, _ = make_table(prompts=150, models=2)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(150, 8))
    truth = np.full((150, 63), 0.1)
    truth[:, 5] = 1 / (1 + np.exp(-2 * vectors[:, 0]))
    known = np.where(np.arange(150)[:, None] < 100, truth, np.nan)
    embeddings = Embeddings(vectors, rng.normal(size=(len(table.responses), 8)))
    found = guessed(replace(table, tags=known, embeddings=embeddings, cache={}))
    np.testing.assert_array_equal(found[:100], truth[:100])
    assert np.corrcoef(found[100:, 5], truth[100:, 5])[0, 1] > 0.95
    assert np.abs(found[100:, 6] - 0.1).max() < 0.01


def test_the_ridge_is_the_textbooks() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    y = x @ rng.normal(size=(4, 2))
    np.testing.assert_allclose(ridge(x, y), np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-3)
    assert np.abs(ridge(x, rng.normal(size=(60, 2)))).max() < 0.2


def test_a_table_with_tags_has_hypers_ninety_flags_and_one_without_its_stand_ins() -> None:
    table, _ = make_table(prompts=60, models=2)
    assert tags(table).shape[1] == 27 + 27
    tagged = replace(table, tags=np.full((60, 63), 0.3), cache={})
    assert tags(tagged).shape == (table.size, 90)
    few = np.full((60, 63), np.nan)
    few[:5] = 0.3
    assert tags(replace(table, tags=few, cache={})).shape[1] == 27 + 27
