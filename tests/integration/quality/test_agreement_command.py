"""`agreement SLUG` on imported real sets: the figures of data/README.md, through the ledger."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.actions import command_line_owner
from ledger.actions import NewLabel, create_project, ensure_rater, write_labels
from ledger.imports.load import import_file
from ledger.models import Rater

pytestmark = pytest.mark.django_db


@pytest.fixture
def imported(shared_data):
    """Imports a real set into a blank project of its name; the slug."""

    def load(name):
        slug = name.replace("_", "-")
        project = create_project(slug=slug, template="blank", owner=command_line_owner())
        assert import_file(project, shared_data(name)).errors == []
        return slug

    return load


def report_of(slug):
    out = StringIO()
    call_command("agreement", slug, "--json", "-", stdout=out)
    return json.loads(out.getvalue())["aspects"]


@pytest.mark.parametrize(
    ("name", "aspect", "n", "raw", "no_ties", "alpha"),
    [
        ("mtbench", "overall", 1850, 0.663, 0.823, 0.50),
        ("pandalm", "overall", 2997, 0.920, 0.947, 0.86),
        ("ukp_convarg", "convincingness", 16104, 0.549, 0.752, 0.30),
    ],
)
def test_people_among_themselves_are_as_the_data_say(imported, name, aspect, n, raw, no_ties, alpha):
    people = report_of(imported(name))[aspect]["human_human"]
    assert people["n"] == n
    assert people["raw"] == pytest.approx(raw, abs=0.0005)
    assert people["no_ties"] == pytest.approx(no_ties, abs=0.0005)
    assert people["alpha_nominal"] == pytest.approx(alpha, abs=0.005)
    low, high = people["intervals"]["raw"]
    assert low < people["raw"] < high


@pytest.mark.parametrize(
    ("name", "judge", "raw", "no_ties", "majority", "majority_no_ties", "kappa"),
    [
        ("mtbench", "gpt-4/mt-bench-pair", 0.661, 0.859, 0.712, 0.887, 0.55),
        ("pandalm", "gpt-3.5-turbo", 0.706, 0.806, 0.716, 0.815, 0.49),
        ("pandalm", "pandalm-7b", 0.660, 0.768, 0.668, 0.775, 0.44),
    ],
)
def test_judges_beside_people_are_as_the_data_say(
    imported, name, judge, raw, no_ties, majority, majority_no_ties, kappa
):
    found = report_of(imported(name))["overall"]["judges"][judge]
    assert found["each"]["raw"] == pytest.approx(raw, abs=0.0005)
    assert found["each"]["no_ties"] == pytest.approx(no_ties, abs=0.0005)
    assert found["majority"]["raw"] == pytest.approx(majority, abs=0.0005)
    assert found["majority"]["no_ties"] == pytest.approx(majority_no_ties, abs=0.001)
    assert found["majority"]["kappa"] == pytest.approx(kappa, abs=0.005)


def test_a_judge_with_both_orders_is_folded(imported):
    judges = report_of(imported("mtbench"))["overall"]["judges"]
    assert {name: round(j["each"]["raw"], 3) for name, j in judges.items() if name.startswith("palm-2")} == {
        "palm-2/metrics-reference": 0.578,
        "palm-2/vanilla-norules": 0.601,
    }
    assert judges["palm-2/vanilla-norules"]["flip"]["rate"] == pytest.approx(0.24, abs=0.005)
    assert judges["chatgpt-0613/vanilla-norules"]["flip"]["counts"]["rate"] == 159


def test_ratings_are_read_as_pairs(imported):
    aspect = report_of(imported("conala_code"))["usefulness"]
    people = aspect["human_human"]
    assert (people["counts"]["no_ties"], people["labels"], people["people"]) == (7892, 3162, 16)
    assert people["no_ties"] == pytest.approx(0.878, abs=0.0005)
    assert people["alpha_interval"] == pytest.approx(0.71, abs=0.005)
    order = {name: round(judge["mean"]["no_ties"], 3) for name, judge in aspect["judges"].items()}
    assert order == {
        "gpt-3.5-turbo/no_step_no_ref": 0.851,
        "gpt-3.5-turbo/no_step_with_ref": 0.843,
        "gpt-3.5-turbo/with_step_no_ref": 0.854,
        "gpt-3.5-turbo/with_step_with_ref": 0.848,
    }


def test_what_is_undefined_is_null(imported, shared_data):
    slug = "empty"
    create_project(slug=slug, template="multipref", owner=command_line_owner())
    people = report_of(slug)["overall"]["human_human"]
    assert people["raw"] is people["no_ties"] is people["alpha_nominal"] is None
    assert (people["n"], people["intervals"]["raw"]) == (0, [None, None])


def test_a_corrected_label_counts_once(imported):
    project = create_project(slug="corrected", template="multipref", owner=command_line_owner())
    aspect = project.aspects.get(name="overall")
    instance = project.instances.create(
        ref="a", prompt="?", size=2, content_hash="0" * 64, prompt_hash="0" * 32
    )
    for index in (0, 1):
        instance.responses.create(index=index, key=f"r{index}", text="x" * (index + 1))
    for name, strengths in (("one", [-1, 1]), ("two", [1])):
        rater = ensure_rater(project, kind=Rater.Kind.PERSON, name=name)
        for strength in strengths:
            label = NewLabel(instance=instance, aspect=aspect, value={"strength": strength})
            write_labels(project=project, rater=rater, labels=[label])
    people = report_of("corrected")["overall"]["human_human"]
    assert (people["raw"], people["labels"]) == (1.0, 2)


def test_an_unknown_project_is_refused_by_name():
    with pytest.raises(CommandError, match="'no-such-project'"):
        call_command("agreement", "no-such-project")


def test_the_text_is_for_people_and_carries_n(imported):
    out = StringIO()
    call_command("agreement", imported("pandalm"), stdout=out)
    assert "overall (pairwise): 2997 labels by 3 people" in out.getvalue()
    assert "raw 0.920 (0." in out.getvalue()
    assert "n=2997" in out.getvalue()
