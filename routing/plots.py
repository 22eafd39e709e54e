"""A replay's report as pictures: SVG files that any browser shows, in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import orjson

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 560, 30, 380
# Okabe and Ito's colours, told apart by colour-blind readers; the order is fixed by the report's.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f", "#b2182b")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.grid{stroke:#ddd}.axis{stroke:#888}"
    "path.line{fill:none;stroke-width:2}path.band{opacity:.14;stroke:none}.even{stroke:#888;stroke-dasharray:4 4}"
    ".paper{fill:#fff}@media(prefers-color-scheme:dark){.paper{fill:#16181d}text{fill:#e6e6e6}.grid{stroke:#33373f}}"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where values lie on the picture: `across` and `up` are (lowest, highest)."""

    across: tuple[float, float]
    up: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.across
        return round(LEFT + (RIGHT - LEFT) * (value - low) / max(high - low, 1e-9), 1)

    def y(self, value: float) -> float:
        low, high = self.up
        return round(BOTTOM - (BOTTOM - TOP) * (value - low) / max(high - low, 1e-9), 1)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        return "M" + "L".join(f"{self.x(x):g} {self.y(y):g}" for x, y in points)


def write_report(report: dict[str, Any], folder: Path) -> list[str]:
    """Writes report.json, curves.svg and what else there is to see; the names of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"report.json": orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)}
    curves = {name: found["curve"] for name, found in report["policies"].items()}
    files["curves.svg"] = curve_picture(curves, "agreement with people").encode()
    findings = report.get("findings", {})
    probes = {name: found["probe"] for name, found in findings.items() if "probe" in found}
    if probes:
        files["probe.svg"] = curve_picture(probes, "accuracy of a probe reward model").encode()
    for name, found in findings.items():
        if "differs" in found and found["differs"]["n"]:
            files[f"calibration-{name}.svg"] = calibration_picture(name, found["differs"]).encode()
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return sorted(files)


def curve_picture(curves: dict[str, list[dict[str, float]]], upwards: str) -> str:
    """Each policy's curve over the budgets with its 95 % band."""
    points = [point for curve in curves.values() for point in curve]
    frame = Frame(
        across=(min(p["budget"] for p in points), max(p["budget"] for p in points)),
        up=rounded(min(p["low"] for p in points), max(p["high"] for p in points)),
    )
    parts = []
    for place, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[place % len(COLOURS)]
        there = [(point["budget"], point["high"]) for point in curve]
        back = [(point["budget"], point["low"]) for point in reversed(curve)]
        line = frame.path([(point["budget"], point["mean"]) for point in curve])
        parts += [
            f'<path class="band" fill="{colour}" d="{frame.path(there + back)}Z"/>',
            f'<path class="line" stroke="{colour}" d="{line}"/>',
            f'<path class="line" stroke="{colour}" d="M{RIGHT + 20} {TOP + 22 * place}h22"/>',
            f'<text x="{RIGHT + 48}" y="{TOP + 4 + 22 * place}">{escape(name)}</text>',
        ]
    return picture(frame, "share of the instances that people may label", upwards, parts)


def calibration_picture(name: str, found: dict[str, Any]) -> str:
    """What happened against what was said, a point a tenth; on the dashed line the policy means what it says."""
    table = found["reliability"]
    top = max(*table["high"], *table["predicted"], 0.1)
    frame = Frame(across=(0.0, top), up=(0.0, top))
    parts = [f'<path class="even" d="{frame.path([(0, 0), (top, top)])}"/>']
    for said, seen, low, high in zip(
        *(table[key] for key in ("predicted", "observed", "low", "high")), strict=True
    ):
        x = frame.x(said)
        parts += [
            f'<path class="line" stroke="{COLOURS[0]}" d="M{x:g} {frame.y(low):g}V{frame.y(high):g}"/>',
            f'<circle cx="{x:g}" cy="{frame.y(seen):g}" r="4" fill="{COLOURS[0]}"/>',
        ]
    facts = (name, f"n {found['n']:,}", f"ECE {found['ece']:.3f}", f"Brier {found['brier']:.3f}")
    parts += [
        f'<text x="{RIGHT + 20}" y="{TOP + 4 + 22 * at}">{escape(text)}</text>'
        for at, text in enumerate(facts)
    ]
    return picture(frame, "said: a person differs from the judge", "happened", parts)


def picture(frame: Frame, across: str, upwards: str, parts: Sequence[str]) -> str:
    """An SVG with axes, five ticks each, and these parts."""
    grid = []
    for tick in range(5):
        x, y = (low + (high - low) * tick / 4 for low, high in (frame.across, frame.up))
        grid += [
            f'<path class="grid" d="M{LEFT} {frame.y(y):g}H{RIGHT}"/>',
            f'<text text-anchor="end" x="{LEFT - 8}" y="{frame.y(y) + 4:g}">{y:.3g}</text>',
            f'<text text-anchor="middle" x="{frame.x(x):g}" y="{BOTTOM + 20}">{x:.0%}</text>',
        ]
    middle = (LEFT + RIGHT) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(upwards)} by {escape(across)}"><style>{STYLE}</style>'
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>{"".join(grid)}{"".join(parts)}'
        f'<text text-anchor="middle" x="{middle:g}" y="{BOTTOM + 44}">{escape(across)}</text>'
        f'<text x="{LEFT}" y="{TOP - 12}">{escape(upwards)}</text></svg>\n'
    )


def rounded(low: float, high: float) -> tuple[float, float]:
    """The range out to the next twentieth."""
    bottom, top = int(low * 20) / 20, -int(-high * 20 // 1) / 20
    return max(bottom, 0.0), min(max(top, bottom + 0.05), 1.0)
