"""What the statistics refuse to answer."""

from web.problems import Problem


class NotConverged(Problem):
    """An iteration that ran out of steps: its figures are not to be trusted."""

    status, code, title = 422, "not-converged", "The estimate did not converge"

    def __init__(self, what: str, *, steps: int, change: float, tolerance: float) -> None:
        super().__init__(
            f"{what} has not converged after {steps} steps: the last one changed it by {change:.2g}, "
            f"more than {tolerance:.2g}.",
            steps=steps,
            change=change,
            tolerance=tolerance,
        )
