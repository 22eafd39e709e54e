"""What a project or a member may set, beyond what is on by default: one table of names and checks.

Everything here is off until it is set. `change_settings` and `change_member_settings` are the only
writers; they validate, and tell those above through `settings_changed`.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from django.db import transaction

from ledger.models import Member, Project
from ledger.signals import settings_changed
from web.problems import Invalid
from web.registry import unknown

Check = Callable[[str, Any], Any]  # (name, given) -> the value in its canonical form

MAX_RULES = 30  # skill rules of a project: each is a bit of Seat.need
MAX_TEXT = 200_000


class InvalidSetting(Invalid):
    code, title = "invalid-setting", "The setting is not valid"


def refuse(name: str, wanted: str, given: Any) -> InvalidSetting:
    return InvalidSetting(f"{name} must be {wanted}, not {given!r:.80}.", setting=name)


def no_such(kind: str, name: str, checks: Mapping[str, Check]) -> InvalidSetting:
    """The refusal of a name that is no setting, with the nearest ones."""
    found = unknown(kind, name, list(checks))
    return InvalidSetting(found.detail, setting=name, **found.facts)


# ---------------------------------------------------------------- checks


def flag(name: str, given: Any) -> bool:
    if not isinstance(given, bool):
        raise refuse(name, "true or false", given)
    return given


def whole(name: str, given: Any, *, low: int, high: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not low <= given <= high:
        raise refuse(name, f"a whole number in {low:,}…{high:,}", given)
    return given


def number(name: str, given: Any, *, low: float, high: float) -> float:
    if not isinstance(given, int | float) or isinstance(given, bool) or not low <= given <= high:
        raise refuse(name, f"a number in {low:,}…{high:,}", given)
    return float(given)


def text(name: str, given: Any, *, most: int = 200) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= most or "\x00" in given:
        raise refuse(name, f"a text of 1…{most:,} characters", given)
    return given


def one_of(name: str, given: Any, *, known: Collection[str]) -> str:
    if given not in known:
        raise refuse(name, f"one of {', '.join(known)}", given)
    return str(given)


def texts(name: str, given: Any) -> list[str]:
    if not isinstance(given, list) or not given:
        raise refuse(name, "a list of texts", given)
    return list(dict.fromkeys(text(f"{name}[{place}]", each, most=300) for place, each in enumerate(given)))


def section(
    name: str, given: Any, *, checks: Mapping[str, Check], required: Collection[str] = ()
) -> dict[str, Any]:
    """An object with no key outside `checks`, and those in `required`."""
    if not isinstance(given, dict):
        raise refuse(name, "an object", given)
    for key in given:
        if key not in checks:
            raise no_such(f"setting in {name}", str(key), checks)
    missing = [key for key in required if given.get(key) is None]
    if missing:
        raise InvalidSetting(f"{name} needs {', '.join(missing)}.", setting=name, missing=missing)
    return {key: checks[key](f"{name}.{key}", value) for key, value in given.items() if value is not None}


def dynamic_overlap(name: str, given: Any) -> dict[str, Any]:
    places = partial(whole, low=1, high=50)
    checks: dict[str, Check] = {"min": places, "max": places, "stop": share, "aspect": text}
    cleaned = section(name, given, checks=checks, required=("min", "max", "stop"))
    if cleaned["min"] > cleaned["max"]:
        raise refuse(f"{name}.min", f"at most {name}.max ({cleaned['max']})", cleaned["min"])
    return cleaned


def skill_groups(name: str, given: Any) -> dict[str, list[str]]:
    """Working groups by their names, each with the skills of whoever belongs to it."""
    if not isinstance(given, dict):
        raise refuse(name, "an object of group names and lists of skills", given)
    return {text(name, group, most=80): texts(f"{name}.{group}", skills) for group, skills in given.items()}


def skill_rules(name: str, given: Any) -> list[dict[str, Any]]:
    """Rules `{"when": {key of the metadata: [values]}, "need": [skills]}`."""
    if not isinstance(given, list) or not 0 < len(given) <= MAX_RULES:
        raise refuse(name, f"a list of 1…{MAX_RULES} rules", given)
    checks: dict[str, Check] = {"when": conditions, "need": texts}
    return [
        section(f"{name}[{place}]", rule, checks=checks, required=("when", "need"))
        for place, rule in enumerate(given)
    ]


def conditions(name: str, given: Any) -> dict[str, list[str]]:
    if not isinstance(given, dict) or not given:
        raise refuse(name, "an object of metadata keys and lists of values", given)
    return {
        text(name, key): texts(f"{name}.{key}", values if isinstance(values, list) else [values])
        for key, values in given.items()
    }


def group_pay(name: str, given: Any) -> dict[str, float]:
    """An hour's pay by working group."""
    if not isinstance(given, dict):
        raise refuse(name, "an object of group names and pay an hour", given)
    pay = partial(number, low=0, high=100_000)
    return {text(name, group, most=80): pay(f"{name}.{group}", each) for group, each in given.items()}


share = partial(number, low=0.0, high=1.0)
pace = partial(section, checks={"days": partial(number, low=0.01, high=3650)}, required=("days",))
quota = partial(
    section,
    checks={"daily": partial(whole, low=1, high=100_000), "total": partial(whole, low=1, high=10_000_000)},
)
gold = partial(
    section,
    checks={"rate": share, "threshold": share, "after": partial(whole, low=1, high=10_000)},
    required=("rate",),
)
probes = partial(
    section, checks={"rate": share, "gap": partial(whole, low=1, high=10_000)}, required=("rate",)
)
training = partial(section, checks={"instances": texts}, required=("instances",))
quiz = partial(
    section,
    checks={"instances": texts, "pass": share, "attempts": partial(whole, low=1, high=100)},
    required=("instances", "pass"),
)
hyper = partial(
    section,
    checks={
        "predictor": partial(one_of, known=("linear", "quadratic", "boosted", "ridge")),
        "selection": partial(one_of, known=("simulated", "top_k")),
        "reward_model": partial(text, most=300),
    },
)
profile = partial(section, checks={"form": text, "required": flag}, required=("form",))
onboarding = partial(
    section,
    checks={"consent": partial(text, most=MAX_TEXT), "profile": profile, "training": training, "quiz": quiz},
)

SETTINGS: dict[str, Check] = {
    "lease_seconds": partial(whole, low=1, high=7 * 24 * 3600),
    "must_read": flag,
    "hourly_pay": partial(number, low=0, high=100_000),
    "currency": partial(text, most=4),
    "consensus": partial(text, most=40),
    "online": flag,  # a live route decides again as people's labels come in
    "refit_every": partial(whole, low=1, high=1_000_000),  # … after so many of them
    "pace": pace,  # … and spends its budget evenly over so many days
    "tagger": partial(text, most=120),  # the judge whose tags of the prompts the HyPER policies read
    "hyper": hyper,  # how the HyPER policies predict and choose, and what they train
    "precision": partial(number, low=0.001, high=0.5),  # of the judge's agreement, which a pilot is to give
    "group_pay": group_pay,
    "quota": quota,
    "overlap": dynamic_overlap,
    "finish_first": flag,
    "gold": gold,
    "probes": probes,
    "groups": skill_groups,
    "skill_rules": skill_rules,
    "onboarding": onboarding,
}
MEMBER_SETTINGS: dict[str, Check] = {
    "quota": quota,
    "skills": texts,
    "groups": texts,
    "hourly_pay": SETTINGS["hourly_pay"],
}


def clean_settings(given: Mapping[str, Any], checks: Mapping[str, Check] = SETTINGS) -> dict[str, Any]:
    """`given` in canonical form; None stays None. Raises `InvalidSetting`."""
    for name in given:
        if name not in checks:
            raise no_such("setting", name, checks)
    return {name: None if value is None else checks[name](name, value) for name, value in given.items()}


# ---------------------------------------------------------------- writing


def change_settings(project: Project, changes: Mapping[str, Any]) -> Project:
    """Sets what `changes` names, and turns off what it sets to None; the rest stays.

    Lock: the project's row. Sends `settings_changed` inside the transaction.
    """
    cleaned = clean_settings(changes)
    with transaction.atomic():
        locked = Project.objects.select_for_update().get(pk=project.pk)
        before = locked.settings
        project.settings = {
            name: value for name, value in {**before, **cleaned}.items() if value not in (None, {}, [])
        }
        project.save(update_fields=["settings"])
        settings_changed.send(Project, project=project, before=before)
    return project


def change_member_settings(member: Member, changes: Mapping[str, Any]) -> Member:
    """Sets or, with None, takes away a member's own quota, skills and groups. Lock: the member's row."""
    cleaned = clean_settings(changes, MEMBER_SETTINGS)
    with transaction.atomic():
        before = Member.objects.select_for_update().get(pk=member.pk).settings
        merged = {**before, **cleaned}
        member.settings = {name: value for name, value in merged.items() if value not in (None, {}, [])}
        member.save(update_fields=["settings"])
    return member
