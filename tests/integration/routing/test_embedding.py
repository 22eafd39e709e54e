"""Stored embeddings become features of a table; without them the texts' own words stand in."""

from pathlib import Path

import numpy as np
import pytest

from judges.representations import (
    MATCHED_AS,
    STORED_AS,
    as_text,
    ensure_matched,
    loaded_encoder,
    read_matches,
)
from ledger.models import Project, Representation
from ledger.representations import store_vectors
from routing.embedding import ENCODER, pairs_of, texts_of
from routing.features.base import block
from routing.loading import load
from tests.integration.routing.making import make_project, report, rows

pytestmark = pytest.mark.django_db


def test_a_table_reads_the_vectors_that_are_stored(tmp_path: Path) -> None:
    project = make_project(tmp_path, "stored", rows(30))
    assert load(project).table.embeddings is None
    assert "cosine" not in block(load(project).table, "similarity").even
    texts = texts_of(project)
    vectors = np.random.default_rng(0).normal(size=(len(texts), 8)).astype(np.float32)
    store_vectors(STORED_AS[ENCODER], texts, vectors)
    table = load(project).table
    assert table.embeddings is not None
    assert table.embeddings.prompts.shape == (len(table.prompts), 8)
    place = texts.index(table.responses[3])
    np.testing.assert_allclose(table.embeddings.responses[3], vectors[place], atol=0.01)
    assert "cosine" in block(table, "similarity").even


def test_a_few_missing_vectors_stand_at_the_mean_and_many_make_the_words_stand_in(tmp_path: Path) -> None:
    project = make_project(tmp_path, "partly", rows(30))
    texts = texts_of(project)
    vectors = np.random.default_rng(0).normal(size=(len(texts), 8)).astype(np.float32)
    missing = load(project).table.responses[0]
    held = [row for row, text in enumerate(texts) if text != missing]
    store_vectors(STORED_AS[ENCODER], [texts[row] for row in held], vectors[held])
    found = load(project).table.embeddings
    assert found is not None
    np.testing.assert_allclose(found.responses[0], found.responses[1:].mean(axis=0), atol=1e-6)
    Representation.objects.filter(
        pk__in=list(Representation.objects.values_list("pk", flat=True)[:20])
    ).delete()
    assert load(project).table.embeddings is None


def test_pairs_of_one_prompt_stand_together_and_each_is_named_once(tmp_path: Path) -> None:
    found = rows(6)  # three instances a prompt
    found[2]["prompt"], found[3]["prompt"] = "Question 1", "Question 0"
    found[5]["responses"] = found[4]["responses"]
    project = make_project(tmp_path, "paired", found)
    assert [first.split()[-1] for first, _ in pairs_of(project)] == ["0", "1", "3", "2", "4"]


def test_a_match_is_stored_once_for_both_orders_and_no_other_pair_reads_it(tmp_path: Path) -> None:
    project = make_project(tmp_path, "matched", rows(30))
    table = load(project).table
    first, second = table.responses[table.pair[0, 0]], table.responses[table.pair[0, 1]]
    assert np.isnan(read_matches([(first, second)], ENCODER)).all()
    assert ensure_matched([], ENCODER) == (0, 0)
    store_matches(project, [0.5, 0.25, 1 / 3])
    forth, back = read_matches([(first, second), (second, first)], ENCODER)
    np.testing.assert_allclose(forth, back[[1, 0, 2]])
    assert sorted(forth[:2]) == [0.25, 0.5]
    assert np.isnan(read_matches([(first + second[:1], second[1:])], ENCODER)).all()


def test_a_table_reads_matches_beside_vectors_and_does_without_where_many_are_missing(tmp_path: Path) -> None:
    project = make_project(tmp_path, "read", rows(30))
    store_matches(project, [0.5, 0.5, 0.5])
    assert load(project).table.matching is None  # nothing is embedded
    texts = texts_of(project)
    store_vectors(STORED_AS[ENCODER], texts, np.ones((len(texts), 8), dtype=np.float32))
    table = load(project).table
    assert table.matching is not None
    np.testing.assert_array_equal(table.matching, np.full((30, 3), 0.5))
    stored = Representation.objects.filter(encoder=MATCHED_AS[ENCODER])
    stored.filter(pk__in=list(stored.values_list("pk", flat=True)[:4])).delete()
    assert load(project).table.matching is None
    assert "matching" not in block(load(project).table, "similarity").even


def store_matches(project: Project, row: list[float]) -> None:
    """The same precision, recall and F1 for every pair, as a judge worker stores them."""
    keys = [as_text((min(pair), max(pair))) for pair in pairs_of(project)]
    store_vectors(MATCHED_AS[ENCODER], keys, np.array([row] * len(keys), dtype=np.float32))


@pytest.mark.slow
@pytest.mark.usefixtures("weights")
def test_the_sentence_encoder_embeds_every_text_and_matches_every_pair_once(tmp_path: Path) -> None:
    listed = rows(4)
    listed[3]["responses"] = [{"id": f"r{n}", "text": f"Answer number {n}"} for n in range(4)]
    rated = {"judge": "alpha", "task": "rating", "aspect": "helpful", "scale": [1, 5]}
    listed[3]["ai"] = [rated | {"response": f"r{n}", "value": 1 + n} for n in range(4)]
    project = make_project(tmp_path, "embedded", listed)
    found = report("embed_texts", "embedded")
    assert (found["encoder"], found["embedded"]) == ("minilm", found["texts"])
    assert found["pairs"] == found["matched"] == 3 + 6
    again = report("embed_texts", "embedded")
    assert (again["embedded"], again["matched"]) == (0, 0)
    table = load(project).table
    assert table.embeddings is not None and table.matching is not None
    np.testing.assert_allclose(np.linalg.norm(table.embeddings.responses, axis=1), 1, atol=0.01)
    texts = [table.responses[row] for row in table.pair[0]]
    _, scores = loaded_encoder("minilm").compare(texts, [(0, 1)])
    np.testing.assert_allclose(table.matching[0], scores[0], atol=0.002)  # stored in half precision
