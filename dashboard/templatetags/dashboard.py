"""How the dashboard prints figures, and which colour says who spoke."""

from typing import Any

from django import template

from dashboard.instances import outcome_in_words
from judges.models import JudgeRun
from ledger.models import Project, Rater
from quality.panels import JudgesBesidePeople, RaterRow
from routing.models import Decision, Preference

register = template.Library()

NOTHING = (None, "")  # a figure that is undefined, and one that a template did not find

WAY_CLASS = {Decision.Way.HUMAN: "people", Decision.Way.AI: "ai", Decision.Way.BOTH: "fused"}
SOURCE_CLASS = {
    Preference.Source.HUMAN: "people",
    Preference.Source.AI: "ai",
    Preference.Source.FUSED: "fused",
}
RATER_CLASS = {Rater.Kind.PERSON: "people", Rater.Kind.ADJUDICATOR: "people", Rater.Kind.JUDGE: "ai"}


@register.filter
def way_class(way: str) -> str:
    return WAY_CLASS.get(Decision.Way(way), "")


@register.filter
def source_class(source: str) -> str:
    return SOURCE_CLASS.get(Preference.Source(source), "")


@register.filter
def rater_class(kind: str) -> str:
    return RATER_CLASS.get(Rater.Kind(kind), "")


@register.filter
def outcome(preference: Preference) -> str:
    return outcome_in_words(preference)


@register.filter
def share(value: Any) -> str:
    """A share as two decimals; a dash where there is none."""
    return "–" if value in NOTHING else f"{value:.2f}"


@register.filter
def percent(value: Any) -> str:
    return "–" if value in NOTHING else f"{100 * value:.0f} %"


@register.filter
def seconds(milliseconds: int | None) -> str:
    """Milliseconds as seconds, as precise as a person can use."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds / 1000:.0f} s" if milliseconds >= 10_000 else f"{milliseconds / 1000:.1f} s"


@register.filter
def lasting(value: float | None) -> str:
    """Seconds as a person says them: 40 s, 12 min, 3.5 h."""
    if value is None:
        return "–"
    if value < 90:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"


@register.filter
def duration(minutes: float | None) -> str:
    return lasting(None if minutes is None else 60 * minutes)


@register.filter
def ranked(panel: JudgesBesidePeople) -> list[RaterRow]:
    """The judges and, at its place among them, the baseline."""
    return sorted([*panel.judges, panel.baseline], key=lambda row: -(row.majority.value or 0.0))


@register.filter
def money(value: Any, project: Project) -> str:
    """An amount in the project's currency, whole above 100; the sign alone for no amount."""
    sign = str(project.settings.get("currency", "$"))[:4]
    if value == "":
        return sign
    amount = float(value or 0)
    return f"{sign} {amount:,.0f}" if amount >= 100 or not amount else f"{sign} {amount:,.2f}"


@register.filter
def told(estimate: dict[str, Any] | None) -> str:
    """A figure of a kept report with its interval and n, as in `0.71 (0.68–0.75), n 974`."""
    if not estimate or estimate["value"] is None:
        return "–"
    if estimate["low"] is None:
        return f"{signed(estimate['value'])}, n {estimate['n']:,}"
    between = " to " if estimate["low"] < 0 else "–"
    bounds = f"{signed(estimate['low'])}{between}{signed(estimate['high'])}"
    return f"{signed(estimate['value'])} ({bounds}), n {estimate['n']:,}"


def signed(value: float) -> str:
    """Two decimals, with the minus sign that is as wide as a digit."""
    return f"{value:.2f}".replace("-", "−")


@register.filter
def unlocalised(value: float) -> str:
    """A coordinate as SVG wants it, whatever the language's decimal sign."""
    return f"{value:g}"


RUN_CLASS = {
    JudgeRun.Status.RUNNING: "act",
    JudgeRun.Status.PAUSED: "warn",
    JudgeRun.Status.DONE: "good",
    JudgeRun.Status.STOPPED: "warn",
    JudgeRun.Status.FAILED: "bad",
}


@register.filter
def run_class(status: str) -> str:
    return RUN_CLASS.get(JudgeRun.Status(status), "")
