"""Quality's panels as the dashboard shows them: of the aspect in question, kept while labels stream in."""

from dashboard.remembering import remembered, watermark
from ledger.models import Aspect, Label, Project
from quality.leaderboard import ModelRow, compare_models
from quality.panels import JudgesBesidePeople, PersonRow, RaterRow, Standing, compare_judges, compare_people
from routing.models import Route

BY_LOT = {"random", "all_human"}  # policies whose choice says nothing about the instances


def main_aspect(project: Project, name: str = "") -> Aspect | None:
    """The aspect of this name; else `overall`, else the first one; None where nothing is asked."""
    aspects = list(project.aspects.all())
    for aspect in aspects:
        aspect.project = project  # spares a query wherever the aspect leads back
    named = {aspect.name: aspect for aspect in aspects}
    return named.get(name) or named.get("overall") or (aspects[0] if aspects else None)


def has_labels(project: Project) -> bool:
    return Label.objects.filter(project=project).exists()


def judges_beside_people(aspect: Aspect) -> JudgesBesidePeople:
    project = aspect.project
    return remembered(project, f"judges:{aspect.pk}", str(watermark(project)), lambda: compare_judges(aspect))


def people_one_by_one(aspect: Aspect) -> list[PersonRow]:
    project = aspect.project
    return remembered(project, f"people:{aspect.pk}", str(watermark(project)), lambda: compare_people(aspect))


def models_by_people(aspect: Aspect) -> list[ModelRow]:
    project = aspect.project
    return remembered(project, f"models:{aspect.pk}", str(watermark(project)), lambda: compare_models(aspect))


def chosen_by(project: Project) -> str:
    """The policy that chose which instances people label; empty where none did, or lots did."""
    route = Route.objects.live().filter(project=project).first()
    chose = route is not None and route.policy not in BY_LOT and route.summary.get("enqueued")
    return route.policy if route and chose else ""


def row_of(panel: JudgesBesidePeople | None, name: str) -> RaterRow | None:
    """A judge's line."""
    return next((row for row in panel.judges if row.name == name), None) if panel else None


def below_baseline(row: RaterRow | None) -> bool:
    return row is not None and row.standing == Standing.BELOW
