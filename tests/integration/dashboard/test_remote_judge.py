"""A judge on a model server, from its form to its labels: everything through the pages, against a real server."""

import pytest

from dashboard.tasks import try_judge
from judges.actions import end_run, run_chunk
from judges.models import Endpoint, JudgeRun
from judges.problems import BudgetSpent
from ledger.models import Label
from tests.integration.dashboard.test_judge_set_up import PATH, filled
from tests.unit.judges.test_remote import Server, said


@pytest.fixture
def server(settings):
    settings.PRIVATE_ENDPOINTS = True
    made = Server()
    made.replies, made.slow = [said(top=[(" A", 0.7), (" B", 0.2)], usage=(1000, 2))], 0
    yield made
    made.http.shutdown()


@pytest.fixture
def remote(server, project, admin):
    """A server and a judge that calls it, added on the pages; a dollar a thousand tokens read."""
    form = {"name": "near", "url": server.url, "key": "sk-first", "concurrency": "2", "rate": "0"}
    assert admin.post(f"{PATH}endpoints/", form | {"read": "1000", "written": "0"}).status_code == 302
    judge = filled("pairwise", name="far", b_judge="endpoint:near", m_judge="large", p_system="Judge coldly.")
    assert admin.post(f"{PATH}new/", judge).status_code == 302
    return server


def test_trying_it_shows_prompt_raw_answer_verdict_and_cost(remote, project, admin):
    admin.post(f"{PATH}of/far/try/")
    try_judge(project.pk, "far")
    page = admin.get(f"{PATH}of/far/").content.decode()
    assert "Judge coldly." in page and "Question 0?" in page and "Verdict:" in page
    assert "&#x27;logprobs&#x27;" in page and "$ 8.00" in page  # 4 aspects, 2 orders, a dollar each
    assert "All 3 instances would cost $ 24.00" in page
    assert "sk-first" not in page and not Label.objects.exists()
    assert {headers["Authorization"] for _, headers, _ in remote.asked} == {"Bearer sk-first"}


def test_a_new_key_is_used_by_the_next_call_of_a_running_worker(remote, project, admin):
    try_judge(project.pk, "far")
    form = {"url": Endpoint.objects.get().url, "key": "sk-second", "concurrency": "2", "rate": "0"}
    admin.post(f"{PATH}endpoints/{Endpoint.objects.get().pk}/", form | {"read": "0", "written": "0"})
    remote.asked.clear()
    try_judge(project.pk, "far")
    assert {headers["Authorization"] for _, headers, _ in remote.asked} == {"Bearer sk-second"}


def test_a_run_stops_before_it_is_overspent_and_says_so(remote, project, admin):
    """No answer of the server is as dear as the bound reserves beforehand, so that it stops early, never late."""
    admin.post(f"{PATH}run/", {"judge": "far", "budget": "0.5"})
    run = JudgeRun.objects.get()
    with pytest.raises(BudgetSpent) as stopped:
        for chunk in run.chunks.order_by("number"):
            run_chunk(chunk.pk, at=run.created)
    end_run(run, stopped.value)
    run.refresh_from_db()
    assert run.cost <= run.budget and run.status == "stopped"
    page = admin.get(f"{PATH}runs/{run.pk}/").content.decode()
    assert "Stopped at its budget" in page and "could cost more than what is left" in page
    admin.post(f"{PATH}run/", {"judge": "far", "budget": "1000"})
    second = JudgeRun.objects.latest("pk")
    for chunk in second.chunks.order_by("number"):
        run_chunk(chunk.pk, at=second.created)
    second.refresh_from_db()
    assert (second.status, second.labelled, float(second.cost)) == ("done", 3, 24.0)
    page = admin.get(f"{PATH}runs/{second.pk}/").content.decode()
    assert "3 of 3" in page and "$ 24.00 so far" in page and "stops before $ 1,000" in page


def test_a_forgotten_server_ends_its_trial_with_a_word(remote, project, admin):
    Endpoint.objects.all().delete()
    try_judge(project.pk, "far")
    assert "is no longer there" in admin.get(f"{PATH}of/far/").content.decode()
