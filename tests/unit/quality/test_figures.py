"""How figures are printed."""

from decimal import Decimal

import pytest

from quality.intervals import Estimate
from quality.templatetags import figures

KNOWN = Estimate(0.7120862, 1299, 0.6776, 0.7460)


def test_a_figure_carries_its_interval_and_n():
    html = figures.figure(KNOWN)
    assert "0.71</span>" in html
    assert "0.68–0.75, n 1,299</small>" in html


@pytest.mark.parametrize("nothing", [None, Estimate(None, 0)])
def test_what_is_unknown_is_a_dash(nothing):
    assert {f(nothing) for f in (figures.figure, figures.value, figures.interval, figures.rate)} == {"–"}
    assert figures.signed(nothing) == "–"
    assert figures.money(None) == "–"


def test_differences_carry_their_sign_and_a_true_minus():
    gap = Estimate(-0.0339, 1741, -0.0815, 0.0083)
    assert figures.signed(gap) == "−0.03"
    assert figures.interval(gap) == "−0.08 to 0.01"
    assert figures.signed(Estimate(0.13, 9, 0.1, 0.2)) == "+0.13"
    assert figures.value(Estimate(-0.001, 9)) == "0.00"


def test_shares_are_printed_in_per_cent():
    assert "13 %</span>" in figures.rate(Estimate(0.132, 159, 0.088, 0.193))
    assert "9–19 %, n 159" in figures.rate(Estimate(0.132, 159, 0.088, 0.193))
    assert figures.money(Decimal("1234.5")) == "1,234.50"
