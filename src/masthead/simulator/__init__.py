"""A faithful PagerDuty for tests, demonstrations and drills.

A program of its own, reached over HTTP: it shares no code with the rest of Masthead, and only the
command line starts it. Where PagerDuty's behaviour is not documented, the simulator's choice is
marked as a guess in ``docs/reference/simulator.md``.
"""

from __future__ import annotations

__all__: list[str] = []
