"""Joint preference: two (instruction, response) pairs with different prompts, side by side.

DOVE (Bansal et al. 2024, arXiv 2404.00530). Each response of the instance carries its own instruction
as the first of its `messages`.
"""

from ledger.task_types.pairwise import Pairwise


class Joint(Pairwise):
    """The value of a pairwise comparison, about instruction and response together."""

    name = "joint"
    title = "Joint preference over instructions and responses"


JOINT = Joint()
