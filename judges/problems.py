"""What a judge refuses, each with its facts."""

from web.problems import Conflict, Invalid, NotFound, Unready


class ModelMissing(Unready):
    """No weights of that name lie in the models' folder."""

    code, title = "model-missing", "The model's weights are not here"

    def __init__(self, *, model: str, folder: str) -> None:
        super().__init__(f"There is no model {model!r} beneath {folder}.", model=model, folder=folder)


class LabelsCollide(Invalid):
    """Two verdict labels begin with the same token, so that one probability would stand for both."""

    code, title = "labels-collide", "The verdict's labels cannot be told apart"

    def __init__(self, *, labels: tuple[str, ...], model: str) -> None:
        super().__init__(
            f"The labels {labels} share a first token in {model}.", labels=list(labels), model=model
        )


class CannotAsk(Invalid):
    """This method or backend cannot ask that kind of question."""

    code, title = "judge-cannot-ask", "The judge cannot answer this kind of question"


class NothingToJudge(NotFound):
    """No instance and aspect that this judge could label."""

    code, title = "nothing-to-judge", "There is nothing to judge"


class RunNotActive(Conflict):
    """The run has ended, so it can be neither paused, resumed nor cancelled."""

    code, title = "run-not-active", "The run has ended"


class NotEnoughLabels(Conflict):
    """A learned judge needs more human labels than there are."""

    code, title = "not-enough-labels", "Too few human labels to learn from"


class RefusedAddress(Invalid):
    """The endpoint resolves to an address that the operator has not allowed."""

    code, title = "refused-address", "The endpoint's address is not allowed"


class EndpointMissing(Unready):
    """The endpoint that a judge calls has been taken away."""

    code, title = "endpoint-missing", "The endpoint is no longer there"


class KeyUnreadable(Unready):
    """The endpoint's key cannot be decrypted."""

    code, title = "key-unreadable", "The endpoint's key cannot be read"


class BudgetSpent(Conflict):
    """The next requests could cost more than what is left of the run's budget."""

    code, title = "budget-spent", "The run's budget is spent"


class CannotAudit(Conflict):
    """There is nothing to audit yet."""

    code, title = "cannot-audit", "There is nothing to audit"
