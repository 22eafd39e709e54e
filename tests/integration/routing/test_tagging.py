from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from judges.specs import find_judge
from judges.tagging import NAMES, SUBJECTS, read_tags, stored_as
from ledger.models import Project, Representation
from ledger.project_settings import change_settings
from routing.features.tags import flags
from routing.loading import load
from tests.integration.routing.making import make_project, report, rows

pytestmark = pytest.mark.django_db

PROMPTS = {
    "What is the molar mass of sulfuric acid, and how does it react with sodium hydroxide?": "Chemistry",
    "Give me a recipe for a vegetable lasagne with spinach and ricotta.": "Culinary arts",
}


def made(tmp_path: Path) -> Project:
    found = rows(len(PROMPTS))
    for row, prompt in zip(found, PROMPTS, strict=True):
        row["prompt"] = prompt
    return make_project(tmp_path, "tagged", found)


@pytest.mark.slow
def test_smollm2_tags_real_prompts_once_by_their_content(tmp_path: Path, weights: Path) -> None:
    project = made(tmp_path)
    found = report("tag_prompts", "tagged")
    assert (found["judge"], found["prompts"], found["tagged"]) == ("smollm2", 2, 2)
    assert report("tag_prompts", "tagged")["tagged"] == 0
    assert Representation.objects.filter(encoder__startswith="tags-1:").count() == 2
    table = load(project).table
    assert table.tags is not None and table.tags.shape == (2, 63)
    for part in (table.tags[:, :46], table.tags[:, 46:49], table.tags[:, 49:53], table.tags[:, 53:57]):
        np.testing.assert_allclose(part.sum(axis=1), 1, atol=0.01)
    ranks = [
        int((row > row[SUBJECTS.index(PROMPTS[prompt])]).sum())
        for prompt, row in zip(table.prompts, table.tags[:, :46], strict=True)
    ]
    assert max(ranks) <= 4, [NAMES[place] for place in table.tags[:, :46].argmax(axis=1)]
    assert (flags(table.tags)[:, 46:49].sum(axis=1) == 1).all()


def test_tags_belong_to_the_model_that_gave_them(tmp_path: Path) -> None:
    project = made(tmp_path)
    assert load(project).table.tags is None
    assert stored_as(find_judge(project, "smollm2")) != stored_as(find_judge(project, "length"))
    assert np.isnan(read_tags(list(PROMPTS), find_judge(project, "smollm2"))).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--judge", "smolm2"), "Did you mean 'smollm2'"),
        (("--judge", "length"), "cannot score the allowed values"),
        (("--judge", "verifier"), "has no model of its own to ask"),
        (("--limit", "0"), "--limit must be at least 1"),
    ],
)
def test_a_judge_that_cannot_tag_is_refused(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    made(tmp_path)
    with pytest.raises(CommandError, match=message):
        call_command("tag_prompts", "tagged", *arguments)
    assert not Representation.objects.exists()


def test_the_projects_own_tagger_is_asked(tmp_path: Path) -> None:
    project = made(tmp_path)
    change_settings(project, {"tagger": "length"})
    with pytest.raises(CommandError, match="length cannot score the allowed values"):
        call_command("tag_prompts", "tagged")
