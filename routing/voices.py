"""One verdict from a judge that answered in several presentations."""

import math
from collections.abc import Sequence

EDGE = (
    1e-6  # probabilities are kept this far from 0 and 1, so that one certain answer cannot outvote all others
)
LEVEL = 1e-9  # log-odds nearer to zero than this are a tie


def joint_log_odds(probabilities: Sequence[float]) -> float:
    """The mean log-odds of the presentations: a pure position bias b, logit ± b in the two orders, cancels."""
    return sum(math.log(p / (1 - p)) for p in (min(max(p, EDGE), 1 - EDGE) for p in probabilities)) / len(
        probabilities
    )


def joint_probability(probabilities: Sequence[float]) -> float:
    """P(the second response is preferred) over all presentations."""
    return 1 / (1 + math.exp(-joint_log_odds(probabilities)))


def joint_verdict(verdicts: Sequence[int], probabilities: Sequence[float | None]) -> int:
    """What a judge says over all its presentations: −1, 0 or 1.

    Where every presentation gives its probability, the sign of the mean log-odds, as pairwise judging is
    defined; where there are bare verdicts, those that disagree are a tie.
    """
    known = [p for p in probabilities if p is not None]
    if len(verdicts) > 1 and len(known) == len(verdicts):
        odds = joint_log_odds(known)
        return 0 if abs(odds) < LEVEL else (odds > 0) - (odds < 0)
    return verdicts[0] if len(set(verdicts)) == 1 else 0
