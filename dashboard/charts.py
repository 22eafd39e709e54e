"""Charts as figures for SVG: plain numbers and paths; colours and strokes are the stylesheet's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor

WIDTH, HEIGHT = 680, 290
LEFT, RIGHT, TOP, BOTTOM = 50, 660, 20, 240


@dataclass(frozen=True)
class Point:
    """Expected agreement, with its interval, when the share `budget` goes to people."""

    budget: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Curve:
    """A forecast as paths in a viewBox of WIDTH by HEIGHT."""

    line: str
    band: str
    chance: str  # when the instances are drawn by lot
    mark: tuple[float, float]
    mark_end: bool  # whether the mark's words fit to its left only
    start: tuple[float, float]
    end: tuple[float, float]
    aside: tuple[float, float]  # where chance is named
    rows: list[Tick] = field(default_factory=list)
    columns: list[Tick] = field(default_factory=list)


@dataclass(frozen=True)
class Scale:
    low: float
    high: float

    def x(self, budget: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * budget, 1)

    def y(self, value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - self.low) / (self.high - self.low), 1)


def draw_curve(points: Sequence[Point], *, chance: Sequence[Point], mark: Point) -> Curve:
    """The curve through `points` (rising budgets), its band, chance beside it, and a mark at the chosen budget."""
    scale = scale_of([*points, *chance])
    there = [(scale.x(p.budget), scale.y(p.high)) for p in points]
    back = [(scale.x(p.budget), scale.y(p.low)) for p in reversed(points)]
    last = chance[-1]
    return Curve(
        line="M" + smooth([(scale.x(p.budget), scale.y(p.mean)) for p in points]),
        band="M" + smooth(there) + "L" + smooth(back) + "Z",
        chance="M" + smooth([(scale.x(p.budget), scale.y(p.mean)) for p in chance]),
        mark=(scale.x(mark.budget), scale.y(mark.mean)),
        mark_end=mark.budget > 0.45,
        start=(scale.x(points[0].budget), scale.y(points[0].mean)),
        end=(scale.x(last.budget), scale.y(last.mean)),
        aside=(scale.x(0.7), scale.y(at_budget(chance, 0.7).mean)),
        rows=[Tick(scale.y(value), f"{value:.2f}".rstrip("0").ljust(3, "0")) for value in steps(scale)],
        columns=[Tick(scale.x(share), f"{100 * share:.0f} %") for share in (0, 0.25, 0.5, 0.75, 1)],
    )


def smooth(points: Sequence[tuple[float, float]]) -> str:
    """A path through the points by monotone cubic pieces (Fritsch and Carlson 1980): it never overshoots."""
    x, y = [p[0] for p in points], [p[1] for p in points]
    rises = [(y[k + 1] - y[k]) / (x[k + 1] - x[k]) for k in range(len(points) - 1)]
    slopes = [rises[0], *map(harmonic, rises, rises[1:]), rises[-1]]
    pieces = []
    for k in range(len(points) - 1):
        third = (x[k + 1] - x[k]) / 3
        near, far = y[k] + slopes[k] * third, y[k + 1] - slopes[k + 1] * third
        pieces.append(
            f"C{x[k] + third:.1f} {near:.1f} {x[k + 1] - third:.1f} {far:.1f} {x[k + 1]:g} {y[k + 1]:g}"
        )
    return f"{x[0]:g} {y[0]:g}" + "".join(pieces)


def harmonic(before: float, after: float) -> float:
    """The slope at a point from those of the pieces beside it: flat where they turn."""
    return 0.0 if before * after <= 0 else 2 * before * after / (before + after)


def scale_of(points: Sequence[Point]) -> Scale:
    """From the tenth below the lowest bound to the tenth above the highest."""
    low, high = min(p.low for p in points), max(p.high for p in points)
    bottom, top = floor(low * 10) / 10, min(ceil(high * 10) / 10, 1.0)
    return Scale(max(bottom, 0.0), top if top > bottom else bottom + 0.1)


def steps(scale: Scale) -> list[float]:
    """Four to six round values from bottom to top."""
    span = round(scale.high - scale.low, 6)
    size = 0.05 if span <= 0.25 else 0.1 if span <= 0.55 else 0.2
    count = round(span / size)
    return [round(scale.low + size * place, 6) for place in range(count + 1)]


def at_budget(points: Sequence[Point], budget: float) -> Point:
    """The curve between its points, by straight lines."""
    after = next((place for place, point in enumerate(points) if point.budget >= budget), len(points) - 1)
    b, a = points[after], points[max(after - 1, 0)]
    if b.budget == a.budget:
        return b
    part = (budget - a.budget) / (b.budget - a.budget)
    mixed = [
        one + part * (other - one) for one, other in ((a.mean, b.mean), (a.low, b.low), (a.high, b.high))
    ]
    return Point(budget, *mixed)


# ---------------------------------------------------------------- reliability

SQUARE = Scale(0.0, 1.0)


@dataclass(frozen=True)
class Bar:
    """A group of verdicts: what the judge said and what people did, with the interval of the latter."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Group:
    """The same group in figures, for the table beside the picture."""

    said: float
    observed: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Reliability:
    bars: list[Bar]
    groups: list[Group]
    diagonal: str
    ticks: list[Tick]
    rows: list[Tick]


def draw_reliability(bins: dict[str, list[float]]) -> Reliability:
    """Observed against said probability, a point a group; on the diagonal the judge means what it says."""
    columns = (bins[name] for name in ("predicted", "observed", "low", "high", "n"))
    groups = [
        Group(said, observed, low, high, int(n))
        for said, observed, low, high, n in zip(*columns, strict=True)
    ]
    bars = [
        Bar(SQUARE.x(one.said), SQUARE.y(one.observed), SQUARE.y(one.low), SQUARE.y(one.high))
        for one in groups
    ]
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    return Reliability(
        bars=bars,
        groups=groups,
        diagonal=f"M{SQUARE.x(0):g} {SQUARE.y(0):g}L{SQUARE.x(1):g} {SQUARE.y(1):g}",
        ticks=[Tick(SQUARE.x(share), f"{share:g}") for share in shares],
        rows=[Tick(SQUARE.y(share), f"{share:g}") for share in shares],
    )
