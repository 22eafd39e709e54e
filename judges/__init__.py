"""Judges: models that write verdicts. A judge is a method (how to ask) on a backend (what answers)."""
