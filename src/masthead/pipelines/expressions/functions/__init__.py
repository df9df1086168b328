"""The functions written with ``#``: one table of all of them."""

from __future__ import annotations

from masthead.pipelines.expressions.functions.data import DATA
from masthead.pipelines.expressions.functions.outside import MISSING, OUTSIDE
from masthead.pipelines.expressions.functions.stages import STAGES
from masthead.pipelines.expressions.methods.signature import Methods

__all__ = ["FUNCTIONS", "MISSING"]

FUNCTIONS: Methods = {**DATA, **STAGES, **OUTSIDE}
