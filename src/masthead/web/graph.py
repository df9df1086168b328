"""The graph of stages as SVG: one drawing for the editor, the execution and the docs.

Stages stand in phases, each behind all it waits for; links come in the order of the phases, so that the keyboard walks
through the graph as it runs. Every stage says its status by shape, word and colour. A graph that cannot run (an editor
shows those too) is drawn as far as it makes sense.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

__all__ = ["Drawn", "Edges", "draw", "draw_some"]

#: Sizes in pixels.
_WIDTH, _HEIGHT = 192, 48
_GAP_X, _GAP_Y = 40, 14
#: The height of the lane in which a line passes a phase that it has no stage in.
_LANE = 6
_EDGE = 4
#: What fits beside the shape, in the widths of :func:`_width`.
_NAME_WIDTH, _WORD_WIDTH = 148.0, 160.0
#: More lanes than this, and lines run straight through.
_MOST_LANES = 1_500
_SWEEPS = 2
#: Of every stage of a graph its ref and the refs that it waits for.
Edges = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stage as it is drawn.

    Attributes:
        ref: What others wait for.
        waits_for: The refs of others; unknown ones are left out.
        icon: The shape of the status: a mark out of the page's sprite.
        style: A class of the stylesheet, for the colour.
        word: What the status is called, or anything else that stands in the second line.
        aside: What follows the word where there is room for it: how long it took.
        says: The name for those who listen.
        more: Attributes of the link as they stand in HTML, for htmx.
        button: Where the stage is chosen by a form: the value of its button ``op``; it is no link then.
        id: Of the element, where the graph is shown again and again.
    """

    ref: str
    name: str
    waits_for: tuple[str, ...]
    href: str
    icon: str
    style: str
    word: str
    says: str
    is_chosen: bool = False
    more: Markup | None = None
    button: str = ""
    id: str = ""
    aside: str = ""


@dataclass(slots=True)
class _Spot:
    """A place in a phase: of a stage, or of a line that passes (``stage`` is None)."""

    stage: int | None
    before: list[_Spot]
    row: float = 0.0
    y: float = 0.0

    @property
    def height(self) -> int:
        return _LANE if self.stage is None else _HEIGHT


def draw(stages: Sequence[Drawn], *, label: str) -> Markup:
    """Draw *stages*.

    Args:
        stages: In the order of the pipeline.
        label: What the graph is called by those who listen.

    Returns:
        An SVG element of fixed size; put it where it can scroll. Empty when there are no stages.
    """
    if not stages:
        return Markup()
    layout = _layout(tuple((stage.ref, stage.waits_for) for stage in stages))
    body = "".join(_box(stages[place], x, y) for place, x, y in layout.spots)
    size = f'width="{layout.width + 2 * _EDGE}" height="{layout.height + 2 * _EDGE:g}"'
    view = f'viewBox="{-_EDGE} {-_EDGE} {layout.width + 2 * _EDGE} {layout.height + 2 * _EDGE:g}"'
    head = f'<svg class="graph" {size} {view} role="group" aria-label="{escape(label)}">'
    return Markup(f"{head}{layout.lines}{body}</svg>")  # noqa: S704 - every text in it is escaped


def draw_some(edges: Edges, stages: Sequence[Drawn]) -> Markup:
    """Draw *stages* alone, each where it stands among *edges*, to take the places of those on a page.

    Args:
        edges: The ref of every stage of the graph, and those it waits for, in the order of the pipeline.
        stages: Those to draw; each has an id, by which it finds its place.

    Returns:
        An SVG element with them, which is not to be shown itself.
    """
    spots = _layout(edges).by_ref
    body = "".join(_box(stage, *spots[stage.ref]) for stage in stages)
    return Markup(f"<svg>{body}</svg>")  # noqa: S704 - every text in it is escaped


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything stands."""

    width: int
    height: float
    lines: str
    #: Place in the pipeline, x and y, in the order of the keyboard.
    spots: tuple[tuple[int, int, float], ...]
    #: Ref of a stage → its x and y.
    by_ref: Mapping[str, tuple[int, float]]


@lru_cache(maxsize=64)
def _layout(edges: Edges) -> _Layout:
    """Lay out stages, each known by its ref and those it waits for."""
    waits = _waits(edges)
    phases = _phases(waits)
    columns, ends = _columns(waits, phases)
    _arrange(columns)
    height = _place(columns)
    spots = tuple(
        (spot.stage, phase * (_WIDTH + _GAP_X), spot.y)
        for phase, column in enumerate(columns)
        for spot in column
        if spot.stage is not None
    )
    return _Layout(
        width=len(columns) * (_WIDTH + _GAP_X) - _GAP_X,
        height=height,
        lines="".join(_lines(columns, ends, phases)),
        spots=spots,
        by_ref={edges[place][0]: (x, y) for place, x, y in spots},
    )


def _waits(edges: Sequence[tuple[str, tuple[str, ...]]]) -> list[list[int]]:
    """Give for each stage the places of those it waits for."""
    places: dict[str, int] = {}
    for place, (ref, _) in enumerate(edges):
        places.setdefault(ref, place)
    return [
        [places[ref] for ref in dict.fromkeys(waits) if places.get(ref, at) != at]
        for at, (_, waits) in enumerate(edges)
    ]


def _phases(waits: Sequence[Sequence[int]]) -> list[int]:
    """Give the length of the longest way to each stage; a circle is cut at its first stage."""
    phases = [0] * len(waits)
    after: list[list[int]] = [[] for _ in waits]
    missing = [len(before) for before in waits]
    for stage, before in enumerate(waits):
        for each in before:
            after[each].append(stage)
    ready = [stage for stage, count in enumerate(missing) if not count]
    left = dict.fromkeys(range(len(waits)))
    while left:
        if not ready:
            ready = [next(iter(left))]
        stage = ready.pop()
        if stage not in left:
            continue
        del left[stage]
        for each in after[stage]:
            missing[each] -= 1
            if each in left:
                phases[each] = max(phases[each], phases[stage] + 1)
                if not missing[each]:
                    ready.append(each)
    return phases


def _columns(
    waits: Sequence[Sequence[int]], phases: Sequence[int]
) -> tuple[list[list[_Spot]], dict[tuple[int, int], _Spot]]:
    """Give the spots of each phase, and for each line the spot that it comes from last."""
    spots = [_Spot(stage, []) for stage in range(len(waits))]
    columns: list[list[_Spot]] = [[] for _ in range(max(phases) + 1)]
    for stage, phase in enumerate(phases):
        columns[phase].append(spots[stage])
    farthest = dict(enumerate(phases))
    for stage, before in enumerate(waits):
        for each in before:
            farthest[each] = max(farthest[each], phases[stage] - 1)
    is_laned = sum(farthest[stage] - phases[stage] for stage in farthest) <= _MOST_LANES
    lanes: dict[tuple[int, int], _Spot] = {}
    for stage, phase in enumerate(phases):
        lanes[stage, phase] = spots[stage]
        for passed in range(phase + 1, farthest[stage] + 1 if is_laned else 0):
            lanes[stage, passed] = _Spot(None, [lanes[stage, passed - 1]])
            columns[passed].append(lanes[stage, passed])
    ends: dict[tuple[int, int], _Spot] = {}
    for stage, before in enumerate(waits):
        for each in before:
            if phases[each] < phases[stage]:
                ends[each, stage] = lanes.get((each, phases[stage] - 1), spots[each])
                spots[stage].before.append(ends[each, stage])
    return columns, ends


def _arrange(columns: Sequence[list[_Spot]]) -> None:
    """Put each spot near what it comes from, so that few lines cross."""
    for _ in range(_SWEEPS):
        for column in columns:
            for place, spot in enumerate(column):
                rows = [each.row for each in spot.before]
                spot.row = sum(rows) / len(rows) if rows else float(place)
            column.sort(key=lambda spot: spot.row)
            for place, spot in enumerate(column):
                spot.row = place - (len(column) - 1) / 2


def _place(columns: Sequence[Sequence[_Spot]]) -> float:
    """Give every spot its y, each phase in the middle, and give the whole height."""
    heights = [sum(spot.height for spot in column) + _GAP_Y * (len(column) - 1) for column in columns]
    for column, height in zip(columns, heights, strict=True):
        y = (max(heights) - height) / 2
        for spot in column:
            spot.y = y
            y += spot.height + _GAP_Y
    return max(heights)


def _lines(
    columns: Sequence[Sequence[_Spot]], ends: Mapping[tuple[int, int], _Spot], phases: Sequence[int]
) -> Iterator[str]:
    """Draw what waits for what, and the lanes in which lines pass."""
    spots = {spot.stage: spot for column in columns for spot in column if spot.stage is not None}
    lines = []
    for phase, column in enumerate(columns):
        for spot in column:
            if spot.stage is None:
                x, y = phase * (_WIDTH + _GAP_X), spot.y + _LANE / 2
                lines.append(f"{_curve(spot.before[0], phase - 1, x, y)}H{x + _WIDTH}")
    for (before, stage), end in ends.items():
        to, phase = spots[stage], phases[stage]
        came_from = phases[before] if end.stage is not None else phase - 1
        lines.append(_curve(end, came_from, phase * (_WIDTH + _GAP_X), to.y + _HEIGHT / 2))
    if lines:
        yield f'<path id="graph-lines" class="lines" d="{"".join(lines)}"/>'


def _curve(start: _Spot, phase: int, x: float, y: float) -> str:
    from_x = phase * (_WIDTH + _GAP_X) + _WIDTH
    from_y = start.y + start.height / 2
    half = _GAP_X / 2
    return f"M{from_x} {from_y:g}C{from_x + half:g} {from_y:g} {x - half:g} {y:g} {x} {y:g}"


def _box(stage: Drawn, x: float, y: float) -> str:
    own = f'id="{escape(stage.id)}" ' if stage.id else ""
    inside = (
        f"<title>{escape(stage.name)}</title>"
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        f'<use href="#i-{stage.icon}" x="10" y="16" width="16" height="16"/>'
        f'<text x="34" y="20">{escape(_shorten(stage.name, _NAME_WIDTH))}</text>'
        f'<text x="34" y="37" class="word">{escape(_second_line(stage))}</text>'
    )
    style = f"{stage.style} chosen" if stage.is_chosen else stage.style
    here = f'class="node {style}" transform="translate({x} {y:g})"'
    if stage.button:
        return f"<g {here}>{inside}{_button(stage)}</g>"
    chosen = ' aria-current="true"' if stage.is_chosen else ""
    label = f'aria-label="{escape(stage.says)}"{chosen}{stage.more or ""}'
    return f'<a {own}href="{escape(stage.href)}" {here} {label}>{inside}</a>'


def _button(stage: Drawn) -> str:
    """Lay a button of the form over a stage."""
    pressed = "true" if stage.is_chosen else "false"
    return (
        f'<foreignObject width="{_WIDTH}" height="{_HEIGHT}"><button name="op" value="{escape(stage.button)}"'
        f' aria-pressed="{pressed}" aria-label="{escape(stage.says)}"></button></foreignObject>'
    )


def _shorten(text: str, width: float) -> str:
    """Cut *text* to what fits, as far as that can be known without the font."""
    total = 0.0
    for place, character in enumerate(text):
        total += _width(character)
        if total > width:
            return text[: max(place - 1, 1)].rstrip() + "…"
    return text


def _second_line(stage: Drawn) -> str:
    whole = f"{stage.word}, {stage.aside}" if stage.aside else stage.word
    return whole if _shorten(whole, _WORD_WIDTH) == whole else _shorten(stage.word, _WORD_WIDTH)


def _width(character: str) -> float:
    """Guess how wide a character is at 13 pixels, from what common interface fonts have."""
    if character in "iljtfr.,:;'|!()[]I ":
        return 4.8
    if character in "mwMW@%":
        return 12.0
    if character > "ᄀ":
        return 13.0
    return 9.2 if character.isupper() else 7.8
