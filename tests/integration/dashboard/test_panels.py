"""Judges, routing, quality and exports through their pages."""

import pytest

from dashboard.audits import begin, run_audit
from dashboard.choices import controls
from dashboard.trials import run_trial
from exports.choices import Choices
from exports.containers import CONTAINERS
from exports.formats import FORMATS
from exports.models import Snapshot
from judges.actions import run_chunk, start_run
from judges.attacks import KINDS
from judges.auditing import audit
from judges.models import JudgeAudit, JudgeRun, RunChunk
from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Instance, Label, Rater
from routing.models import Decision, Route
from routing.policies import POLICIES
from tests.integration.dashboard.conftest import say
from tests.makers import import_rows, make_row

PATH = "/projects/words/"


# ---------------------------------------------------------------- judges


def test_a_run_is_started_moves_and_ends(project, admin, django_capture_on_commit_callbacks):
    answer = admin.post(f"{PATH}judges/run/", {"judge": "length", "limit": "2"}, follow=True)
    assert "length judges 2 instances." in answer.content.decode()
    run = JudgeRun.objects.get()
    part = admin.get(f"{PATH}judges/runs/{run.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "0 of 2" in part and 'hx-trigger="every 1s"' in part
    for chunk in run.chunks.all():
        run_chunk(chunk.pk, at=chunk.run.created)
    part = admin.get(f"{PATH}judges/runs/{run.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "2 of 2" in part and "hx-trigger" not in part
    assert Label.objects.by_judges().values("instance").distinct().count() == 2


def test_pause_resume_cancel(project, admin):
    run = start_run(project=project, judge="length")
    for verb, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert admin.post(f"{PATH}judges/runs/{run.pk}/{verb}/").status_code == 302
        run.refresh_from_db()
        assert run.status == status
    assert (
        "The run has ended" in admin.post(f"{PATH}judges/runs/{run.pk}/pause/", follow=True).content.decode()
    )
    assert admin.post(f"{PATH}judges/runs/{run.pk}/explode/").status_code == 404
    assert RunChunk.objects.filter(status=RunChunk.Status.DONE).count() == 0


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"judge": "lenght"}, "Did you mean &#x27;length&#x27;"),
        ({"judge": "length", "limit": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_run_is_refused(project, admin, form, said):
    assert said in admin.post(f"{PATH}judges/run/", form, follow=True).content.decode()
    assert not JudgeRun.objects.exists()


def test_queries_of_the_judges(project, admin, django_assert_num_queries):
    say(project, "gpt", {"i0": 1}, kind=Rater.Kind.JUDGE)
    say(project, "ann", {"i0": 1})
    for _ in range(3):
        start_run(project=project, judge="length")
    admin.get(f"{PATH}judges/")
    # user, member with project, aspects twice, labels exist, watermark twice, instances, runs, own judges,
    # the latest runs, running judges
    with django_assert_num_queries(12):
        admin.get(f"{PATH}judges/")


def test_a_judge_is_audited_by_its_labels(project, admin):
    say(project, "gpt/4", {"i0": 1, "i1": -1, "i2": 1}, kind=Rater.Kind.JUDGE)
    say(project, "ann", {"i0": 1, "i1": 1, "i2": 1})
    path = f"{PATH}judges/of/gpt/4/"
    assert "An audit reads the ledger" in admin.get(path).content.decode()
    admin.post(f"{path}audit/", {"aspect": "overall"})
    page = admin.get(path).content.decode()
    assert "Audit again" in page and "0.67" in page
    assert "it cannot be asked here" in page
    assert admin.get(f"{PATH}judges/of/nobody/").status_code == 404


def test_a_judge_is_asked_again_by_a_worker_and_the_page_shows_what_came_of_it(project, admin):
    """The length judge, whose attacks and draws need no model."""
    run = start_run(project=project, judge="length", queued=False)
    for chunk in run.chunks.all():
        run_chunk(chunk.pk, at=run.created)
    say(project, "ann", {"i0": 1, "i1": 1, "i2": 1})
    path = f"{PATH}judges/of/length/"
    admin.post(f"{path}audit/", {"aspect": "overall", "ask": "1"})
    part = admin.get(f"{path}?part=audit&aspect=overall", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and 'hx-trigger="every 3s"' in part and "A judge worker asks it" in part
    assert not begin(project, "length")  # one at a time
    run_audit(project, "length", "overall")
    page = admin.get(path).content.decode()
    kept = JudgeAudit.objects.get().report
    assert kept["attacks"]["attacks"] == 3 * len(KINDS) and kept["consistency"]["resampled"]["value"] == 1.0
    assert "Asked again" in page and "By kind of attack" in page and "Stands under another draw" in page
    assert 'hx-trigger="every 3s"' not in page
    admin.post(f"{path}audit/", {"aspect": "overall"})  # by the labels alone: what was asked stays to be seen
    assert "By kind of attack" in admin.get(path).content.decode()


def test_an_audit_that_cannot_be_says_why(project, admin):
    path = f"{PATH}judges/of/smollm2/"
    admin.post(f"{path}audit/", {"aspect": "overall", "ask": "1"})
    run_audit(project, "smollm2", "overall")
    page = admin.get(path).content.decode()
    assert "There is no judge with labels named" in page and 'hx-trigger="every 3s"' not in page


def test_the_reliability_picture_is_a_table_too(project, admin):
    """Every group of the picture in figures, and the repair beside what is."""
    rows = [make_row(number) for number in range(100, 170)]
    import_rows(project, rows)
    said = {row["id"]: (1 if number % 3 else -1) for number, row in enumerate(rows)}
    say(project, "ann", said)
    aspect = project.aspects.get(name="overall")
    found = {each.ref: each for each in Instance.objects.filter(project=project)}
    labels = [
        NewLabel(found[ref], aspect, {"strength": 1, "probability": 0.5 + (number % 40) / 100}, order=(0, 1))
        for number, ref in enumerate(said)
    ]
    rater = ensure_rater(project, kind=Rater.Kind.JUDGE, name="gpt")
    write_labels(project=project, rater=rater, labels=labels)
    audit(project=project, judge="gpt", aspect="overall")
    page = admin.get(f"{PATH}judges/of/gpt/").content.decode()
    bins = JudgeAudit.objects.get().report["calibration"]["bins"]
    table = page.partition('id="reliability-table"')[2].partition("</table>")[0]
    assert table.count("<tr>") == len(bins["n"]) + 1
    assert f"{bins['observed'][0]:.2f}" in table and 'aria-describedby="reliability-table"' in page
    assert page.count("Brier score") == 1 and "cross-fitted by prompt" in page


def test_a_trial_is_asked_for_waited_for_and_shown(project, admin):
    path = f"{PATH}judges/of/length/"
    admin.post(f"{path}try/")
    part = admin.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and 'hx-trigger="every 2s"' in part
    run_trial(project, "length")
    part = admin.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" not in part and "the same" in part and "i0" in part
    assert not Label.objects.exists()


# ---------------------------------------------------------------- routing


@pytest.fixture
def judged(project):
    say(project, "gpt", {"i0": 1, "i1": -1, "i2": 1}, kind=Rater.Kind.JUDGE)
    return project


FORM = {
    "policy": "random",
    "aim": "budget",
    "budget": "34",
    "aspect": "overall",
    "judge": "gpt",
    "audit": "0",
}


def test_a_preview_writes_nothing_and_the_route_does_what_it_showed(judged, admin):
    page = admin.get(f"{PATH}routing/", FORM | {"preview": "1"})
    assert not Route.objects.exists()
    assert page.context["report"]["human"] == 1 and page.context["report"]["ai"] == 2
    first = page.context["examples"][0].ref
    seed = page.context["planned"].request.seed
    admin.post(f"{PATH}routing/start/", FORM | {"seed": seed})
    assert Decision.objects.get(way="human").instance.ref == first
    assert Route.objects.get().author == judged.owner


def test_a_route_is_taken_back_and_stays_in_the_list(judged, admin):
    admin.post(f"{PATH}routing/start/", FORM)
    admin.post(f"{PATH}routing/back/")
    assert Route.objects.get().replaced is not None
    page = admin.get(f"{PATH}routing/").content.decode()
    assert "Earlier routes" in page and "The live route" not in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"policy": "randum"}, "Select a valid choice"),
        ({"policy": "oracle"}, "Select a valid choice"),
        ({"budget": "101"}, "less than or equal to 100"),
        ({"budget": ""}, "Say how much."),
        ({"aim": "target"}, "Say how much."),
        ({"judge": "gtp"}, "Select a valid choice"),
    ],
)
def test_a_wrong_route_is_refused_before_anything_is_written(judged, admin, wrong, said):
    for method, path in ((admin.get, "routing/"), (admin.post, "routing/start/")):
        answer = method(PATH + path, FORM | wrong | {"preview": "1"})
        assert answer.status_code == 422 and said in answer.content.decode()
    assert not Route.objects.exists()


def test_without_a_judge_the_page_says_what_to_do(project, admin):
    answer = admin.get(
        f"{PATH}routing/", {"policy": "random", "aim": "budget", "budget": "10", "preview": "1"}
    )
    assert "run `judge` first" in answer.content.decode()


@pytest.mark.parametrize("policy", [name for name in POLICIES if not POLICIES.load(name).replay_only])
def test_every_policy_is_described(policy, judged, admin):
    page = admin.get(f"{PATH}routing/").context
    assert dict(page["policies"])[policy]


# ---------------------------------------------------------------- quality


def test_quality_shows_every_panel(project, admin, member):
    empty = admin.get(f"{PATH}quality/").content.decode()
    assert "No figures yet" in empty
    say(project, "ann", {"i0": 1, "i1": -1})
    say(project, "bob", {"i0": 1, "i1": 1})
    say(project, "gpt", {"i0": 1, "i1": 0}, kind=Rater.Kind.JUDGE)
    page = member("reviewer").get(f"{PATH}quality/?aspect=overall").content.decode()
    for title in ("People among themselves", "Judges beside people", "Person by person"):
        assert title in page


# ---------------------------------------------------------------- exports


@pytest.mark.parametrize("format", list(FORMATS))
def test_every_format_is_offered_and_described(format, project, admin):
    page = admin.get(f"{PATH}exports/").content.decode()
    assert f'<option value="{format}"' in page


def test_every_choice_is_a_control():
    names = [control.name for control in controls({})]
    assert names == list(Choices().as_dict())


@pytest.fixture
def settled(project):
    say(project, "ann", {"i0": -1, "i1": 1, "i2": 0})
    return project


def test_a_preview_shows_rows_and_what_is_dropped(settled, admin):
    page = admin.get(f"{PATH}exports/", {"preview": "1", "format": "trl-preference", "min_margin": "0"})
    found = page.context["preview"]
    assert found["count"] == 2 and found["columns"][:3] == ["prompt", "chosen", "rejected"]
    assert sum(found["tally"]["dropped"].values()) == 1
    assert "Answer 0 to 0." in page.content.decode()


@pytest.mark.parametrize("container", [name for name in CONTAINERS if name not in ("csv",)])
def test_a_download_is_the_file(settled, admin, container):
    query = {"format": "trl-preference", "container": container, "aspect": "", "splits": "", "preview": "1"}
    answer = admin.get(f"{PATH}exports/download/", query)
    assert answer.status_code == 200 and "attachment" in answer["Content-Disposition"]
    assert len(b"".join(answer.streaming_content)) > 100


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"format": "trl-preferences"}, "Did you mean &#x27;trl-preference&#x27;"),
        ({"ties": "sideways"}, "ties"),
        ({"min_margin": "much"}, "min_margin"),
        ({"splits": "train=0.5"}, "not to 1"),
        ({"version": "v9"}, "There is no version named"),
    ],
)
def test_a_wrong_choice_is_named(settled, admin, wrong, said):
    query = {"format": "trl-preference", "preview": "1"} | wrong
    page = admin.get(f"{PATH}exports/", query)
    assert page.status_code == 422 and said in page.content.decode()
    assert admin.get(f"{PATH}exports/download/", query).status_code >= 400


def test_two_snapshots_are_compared(settled, admin):
    admin.post(f"{PATH}exports/snapshot/", {"freeze": "v1"})
    say(settled, "ann", {"i0": 2, "i2": -1})
    admin.post(f"{PATH}exports/snapshot/", {"freeze": "v2"})
    found = admin.get(f"{PATH}exports/compare/", {"old": "v1", "new": "v2"})
    counts = {kind: each["count"] for kind, each in found.context["kinds"]}
    assert counts == {"added": 1, "removed": 0, "changed": 1}
    assert admin.get(f"{PATH}exports/compare/", {"old": "v1", "new": "v3"}).status_code == 404


def test_a_snapshot_is_frozen_with_the_choices_of_the_page(settled, admin):
    admin.post(f"{PATH}exports/snapshot/", {"freeze": "v1", "ties": "soft", "format": "trl-preference"})
    made = Snapshot.objects.get()
    assert (made.version, made.rows, made.choices["ties"]) == ("v1", 3, "soft")
    page = admin.post(f"{PATH}exports/snapshot/", {"freeze": "v1"}, follow=True).content.decode()
    assert "has a snapshot" in page
    assert made.hash[:12] in admin.get(f"{PATH}exports/").content.decode()
    answer = admin.get(f"{PATH}exports/download/", {"format": "trl-preference", "version": "v1"})
    assert b"".join(answer.streaming_content).count(b"\n") == 3
