"""Skills: who may be given what. A skill is a text, by convention `domain:law`, `language:es`, `level:expert`.

A project's `skill_rules` say which instances need which skills, by their metadata: `{"when": {"language":
["es", "ca"]}, "need": ["language:es"]}`; all keys of `when` must hold, and all of several rules that hold count.
Its `groups` are working groups, each with the skills of whoever belongs to it. A member has the skills of
their groups and their own. A seat keeps the rules that its instance meets as bits of `need`, so that the
hand-out never walks past work that is not for the caller.
"""

from ledger.models import Member, Project

ALL = 2**30 - 1  # every bit of Seat.need

# The rules that the instance `i` meets, a bit each. A list in the metadata meets a rule by any of its entries.
NEED = """
    (SELECT coalesce(bit_or(1 << (r.n::int - 1)), 0)
     FROM jsonb_array_elements(%(rules)s::jsonb) WITH ORDINALITY AS r (rule, n)
     WHERE (SELECT bool_and(coalesce((i.metadata -> w.key) ?| ARRAY(SELECT jsonb_array_elements_text(w.value)), false))
            FROM jsonb_each(r.rule -> 'when') AS w (key, value)))
"""


def skills_of(project: Project, member: Member) -> set[str]:
    """The member's own skills and those of their groups."""
    groups = project.settings.get("groups", {})
    skills = set(member.settings.get("skills", []))
    return skills.union(*(groups.get(name, []) for name in member.settings.get("groups", [])))


def mask_of(project: Project, member: Member | None) -> int:
    """The rules whose skills the member has, a bit each; a superuser who is no member has all."""
    if member is None:
        return ALL
    skills = skills_of(project, member)
    rules = project.settings.get("skill_rules", [])
    return sum(1 << place for place, rule in enumerate(rules) if skills.issuperset(rule["need"]))
