"""What an hour of a person's time costs: a member's own pay, else their group's, else the project's."""

from __future__ import annotations

from accounts.rights import Role
from annotate.skills import skills_of
from ledger.models import Member, Project

HOURLY_PAY = 18.0  # the middle of what MultiPref's protocol paid, $15-20


def base_pay(project: Project) -> float:
    """The project's pay an hour."""
    return float(project.settings.get("hourly_pay", HOURLY_PAY))


def pay_of_member(project: Project, member: Member | None) -> float:
    """An hour's pay of a member: their own, else that of their dearest group, else the project's."""
    if member is None:
        return base_pay(project)
    if "hourly_pay" in member.settings:
        return float(member.settings["hourly_pay"])
    by_group = project.settings.get("group_pay", {})
    paid = [float(by_group[name]) for name in member.settings.get("groups", []) if name in by_group]
    return max(paid) if paid else base_pay(project)


def expected_pay(project: Project) -> float:
    """The mean pay of the active annotators; the project's where there are none."""
    annotators = project.members.filter(status=Member.Status.ACTIVE, role=Role.ANNOTATOR)
    found = [pay_of_member(project, member) for member in annotators]
    return sum(found) / len(found) if found else base_pay(project)


def pay_by_rules(project: Project) -> list[tuple[dict[str, list[str]], float]]:
    """For each skill rule its condition and the mean pay of the active annotators who meet it."""
    annotators = list(project.members.filter(status=Member.Status.ACTIVE, role=Role.ANNOTATOR))
    found = []
    for rule in project.settings.get("skill_rules", []):
        able = [each for each in annotators if skills_of(project, each).issuperset(rule["need"])]
        if able:
            found.append((rule["when"], sum(pay_of_member(project, each) for each in able) / len(able)))
    return found


def meets(metadata: dict[str, object], when: dict[str, list[str]]) -> bool:
    """Whether an instance's metadata meets every key of a rule's condition; a list meets it by any entry."""
    for key, wanted in when.items():
        held = metadata.get(key)
        entries = held if isinstance(held, list) else [held]
        if not set(wanted).intersection(str(entry) for entry in entries if entry is not None):
            return False
    return True
