"""How sure it is that the answer ahead is the one that most people would give."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.special import gammainc, gammainccinv, gammaincinv, gammaln

PRIOR = 1.0  # pseudo-votes for each answer: every distribution of opinion is as likely as any other
NODES, WEIGHTS = np.polynomial.legendre.leggauss(128)
PLACES, SHARES = (NODES + 1) / 2, WEIGHTS / 2  # Gauss-Legendre on 0…1
TAIL = 1e-14  # of the leader's Gamma distribution that is left out on either side


def chance_of_lead(counts: Sequence[int], *, prior: float = PRIOR) -> float:
    """P(the answer with most votes is the most common one among all whom one could ask | counts).

    The shares θ of the K answers have the posterior Dirichlet(prior + counts): multinomial votes under a
    symmetric Dirichlet prior (Gelman et al., *Bayesian Data Analysis*, 3rd ed., section 3.4); for K = 2 a
    Beta posterior, and the result is P(θ > 1/2). With θ_k ∝ X_k, X_k ~ Gamma(α_k, 1) independent, and the
    leader l,

        P(θ_l > θ_k for all k ≠ l) = ∫ g(x; α_l) ∏_{k≠l} G(x; α_k) dx,

    g and G the Gamma density and distribution function, by quadrature. Answers that share the
    lead get the same, low, chance. K ≥ 2.

    >>> round(chance_of_lead([3, 0, 0]), 3)   # 1 − 2/2⁴ + 1/3⁴
    0.887
    """
    return lead(tuple(sorted(counts)), prior)


@lru_cache(maxsize=4096)
def lead(counts: tuple[int, ...], prior: float) -> float:
    *others, most = np.asarray(counts, dtype=float) + prior
    low, high = gammaincinv(most, TAIL), gammainccinv(most, TAIL)
    x = low + (high - low) * PLACES  # (nodes,)
    density = np.exp((most - 1) * np.log(x) - x - gammaln(most))
    below = gammainc(np.asarray(others)[:, None], x).prod(axis=0)
    return float((high - low) * SHARES @ (density * below))
