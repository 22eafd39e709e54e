"""The ledger's tables: one module a subject."""

from ledger.models.instances import Instance, Response
from ledger.models.labels import Label
from ledger.models.projects import Aspect, GuidelineVersion, Member, Project
from ledger.models.raters import Rater
from ledger.models.representations import Representation

__all__ = [
    "Aspect",
    "GuidelineVersion",
    "Instance",
    "Label",
    "Member",
    "Project",
    "Rater",
    "Representation",
    "Response",
]
