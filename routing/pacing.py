"""The shadow price: what a label must bring for its price to be worth asking now, kept so that spending is on time.

Asking where gain over price is at least λ solves max Σ gain x s.t. Σ x ≤ labels for the right λ, the dual of the
budget. Over instances that are all known, the right λ is found at once: `clearing_price` of the labels that the
schedule leaves until the next look. Over a stream it follows the demand by mirror descent on the dual, with the
entropy as mirror map so that λ stays positive and needs no scale: λ ← λ exp(η (x - ρ)), where x is 1 for an arrival
that is worth λ and ρ the share that the schedule allows (Balseiro, Lu and Mirrokni 2020, "Dual mirror descent for
online allocation problems"). x is what is wanted and not what is bought, so that a price that began too low rises
although the cap keeps the spending down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, exp
from typing import Any, Self

import numpy as np

from routing.table import Floats

RATE = 0.05  # η: twenty arrivals that all want to be asked move the price by nearly a factor of e
CATCH_UP = 200  # arrivals over which a lead or a lag is made up for
LEAST_PRICE = 1e-6
STOCK = 0.05  # of a paced budget, open beyond what is due, so that nobody waits for the next look
LOOK = timedelta(hours=1)  # between two looks of the beat
LOG_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Pace:
    """A budget of `cap` labels, of which those beyond the `sunk` ones are spent evenly over `days` from `start`."""

    start: datetime
    days: float
    cap: int
    sunk: int = 0

    @classmethod
    def of(cls, held: dict[str, Any], *, cap: int) -> Self:
        """From what a route keeps."""
        return cls(datetime.fromisoformat(held["start"]), float(held["days"]), cap, int(held["sunk"]))

    def kept(self) -> dict[str, Any]:
        """What a route keeps."""
        return {"start": self.start.isoformat(), "days": self.days, "sunk": self.sunk}

    def due(self, at: datetime) -> float:
        """Labels that should have been bought by then, the sunk ones among them."""
        elapsed = (at - self.start) / timedelta(days=self.days)
        return self.sunk + max(self.cap - self.sunk, 0) * min(max(elapsed, 0.0), 1.0)

    def room(self, at: datetime, *, spent: int) -> int:
        """Labels that may be open until the next look, when `spent` are bought."""
        wanted = min(self.due(at + LOOK) + STOCK * (self.cap - self.sunk), self.cap)
        return max(ceil(wanted - spent - 1e-9), 0)


def ascend(price: float, *, wanted: bool, allowed: float) -> float:
    """The price after one arrival: whether its value reached the price, and the share that may."""
    return max(price, LEAST_PRICE) * exp(RATE * (wanted - allowed))


def allowed_share(budget: float, *, spent: float, due: float) -> float:
    """The share of arrivals that may be asked about: the budget's, and what makes up for a lead or a lag."""
    return min(max(budget + (due - spent) / CATCH_UP, 0.0), 1.0)


def clearing_price(values: Floats, room: int) -> float:
    """The price at which `room` of the instances are asked, by their gains over price (m,); 0: all of them are."""
    if room >= len(values):
        return 0.0
    if room <= 0:
        return float(values.max(initial=0.0)) * (1 + 1e-9) + LEAST_PRICE
    return float(np.partition(values, len(values) - room)[len(values) - room])


def entry(at: datetime, price: float, *, spent: int, due: float, cap: int) -> dict[str, Any]:
    """A line of a route's log of prices."""
    return {"at": at.isoformat(), "price": round(price, 6), "spent": spent, "due": round(due, 1), "cap": cap}
