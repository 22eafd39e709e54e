"""What a person's work can be refused for."""

from typing import ClassVar

from web.problems import Conflict, Invalid, NotAllowed, NotFound, Problem


class LeaseGone(Conflict):
    """The lease has expired, was withdrawn, or ended; what was typed is in the draft."""

    code, title = "lease-gone", "The lease on this instance has gone"


class AlreadySubmitted(Conflict):
    code, title = "already-submitted", "This assignment was submitted already"


class NoSuchAssignment(NotFound):
    code, title = "no-such-assignment", "There is no such assignment"


class IncompleteAnswers(Invalid):
    code, title = "incomplete-answers", "Answers are missing"


class NothingOpen(Problem):
    """No open seat for this rater; the API answers 204."""

    status: ClassVar[int] = 404
    code, title = "nothing-open", "There is no open work for you"


class OnboardingNeeded(NotAllowed):
    """A step of the project's onboarding is missing; `step` says which, `page` where it is done."""

    code, title = "onboarding-needed", "Something is asked of you before you begin"
