"""What routing refuses, each with the next step."""

from web.problems import Conflict, Invalid


class NoInstances(Conflict):
    code, title = "no-instances", "There is nothing to route"


class NoJudgeLabels(Conflict):
    code, title = "no-judge-labels", "No judge has labelled this aspect"


class NoHumanLabels(Conflict):
    code, title = "no-human-labels", "No instance carries both a human and an AI label"


class BadBudget(Invalid):
    code, title = "bad-budget", "The budget is not a share"


class BadTarget(Invalid):
    code, title = "bad-target", "The target cannot be promised"


class ReplayOnly(Invalid):
    code, title = "replay-only", "The policy exists in replay only"
