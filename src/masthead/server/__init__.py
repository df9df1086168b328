"""Wiring and life cycle: the one place that knows everybody."""
