"""The editor of a pipeline. The draft travels in the form: each operation posts it and gets all of it back.

So unknown fields survive, going back is the draft from before, nothing is kept on the server, and everything works
without script. Keys do not travel: see ``editor_secrets``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.kernel.clock import from_ms
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.web.difference import diff
from masthead.web.domain import WebServices
from masthead.web.editor_draft import (
    Draft,
    add_stage,
    duplicate_stage,
    find_stage,
    pack,
    remove_stage,
    stages_of,
    unpack,
    with_refs,
)
from masthead.web.editor_json import read_object, written
from masthead.web.editor_panels import LISTS, PANELS, apply_panel, change_list, edited
from masthead.web.editor_secrets import Secrets
from masthead.web.editor_view import Previewed, Shown, values_of
from masthead.web.forms import Errors, Form, read_form
from masthead.web.looks import look_of
from masthead.web.pipelines import pipeline_of
from masthead.web.rendering import Renderer, is_fragment
from masthead.web.services import oncalls_as_of
from masthead.web.wakes import Wake, wakes_of

__all__ = ["editor_routes"]

#: Versions among which keys and the base of a draft are looked for.
_VERSIONS = 50


@dataclass
class _Editing:
    """One operation on a draft: what came in the form, and what it comes to."""

    stored: Draft
    versions: Sequence[Draft]
    draft: Draft
    base: str
    panel: str
    ref: str
    #: What came from the browser, and the text behind the operation's colon.
    form: Form = field(default_factory=Form)
    argument: str = ""
    done: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    errors: Errors = field(default_factory=Errors)
    #: What was typed, where something in it was wrong.
    typed: Form | None = None
    refusal: str = ""
    theirs: Draft | None = None
    previewed: Previewed | None = None
    is_saved: bool = False
    #: Moves when the panel is another one, or shows what nobody typed into it: then it is put in its place anew.
    turn: int = 0
    takes_focus: bool = False

    def remember(self, before: Draft) -> None:
        """Make *before* a draft that can be gone back to, if something changed."""
        if before != self.draft:
            self.done.append(json.dumps(before, ensure_ascii=False))
            self.undone.clear()


class _Editor:
    """Does operations; each is a method ``do_NAME``."""

    def __init__(self, services: WebServices, secrets: Secrets, caller: Caller) -> None:
        self._services = services
        self._secrets = secrets
        self._caller = caller
        self.types = services.executions.types

    async def do_apply(self, it: _Editing) -> None:
        """Take over what the panel says, and nothing else."""

    async def do_choose(self, it: _Editing) -> None:
        """Show another stage."""
        it.ref = it.argument
        it.panel = it.panel if it.panel in ("stage", "stage-json") else "stage"

    async def do_tab(self, it: _Editing) -> None:
        """Show another panel."""
        it.panel = it.argument if it.argument in PANELS else "stage"

    async def do_undo(self, it: _Editing) -> None:
        """Go back to the draft before."""
        if it.done:
            it.undone.append(json.dumps(it.draft, ensure_ascii=False))
            it.draft = read_object(it.done.pop())

    async def do_redo(self, it: _Editing) -> None:
        """Take the last step back again."""
        if it.undone:
            it.done.append(json.dumps(it.draft, ensure_ascii=False))
            it.draft = read_object(it.undone.pop())

    async def do_add(self, it: _Editing) -> None:
        """Add a stage behind the chosen one, or beside it."""
        kind = it.form.text("new_type")
        known = self._services.executions.types.find(kind)
        if known is None:
            raise InvalidRequest("Choose what the new stage does.")
        it.draft, it.ref = add_stage(it.draft, kind, name=known.label, after=it.ref or None)
        it.panel = "stage"

    async def do_duplicate(self, it: _Editing) -> None:
        """Copy the chosen stage."""
        it.draft, it.ref = duplicate_stage(it.draft, it.ref)

    async def do_remove(self, it: _Editing) -> None:
        """Take the chosen stage out."""
        it.draft, near = remove_stage(it.draft, it.ref)
        it.ref = near or ""

    async def do_list(self, it: _Editing) -> None:
        """Change the list of the panel: ``add``, ``remove/N``, ``up/N``, ``down/N``."""
        deed, _, place = it.argument.partition("/")
        if it.panel in LISTS:
            it.draft = change_list(it.draft, it.panel, deed, place or it.form.text("new_item"))

    async def do_preview(self, it: _Editing) -> None:
        """Evaluate the stage's expressions as an earlier execution would have."""
        run, stage = it.form.text("run"), find_stage(it.draft, it.ref)
        if not run or stage is None:
            raise InvalidRequest("Choose an execution to evaluate the expressions in.")
        try:
            found = await self._services.executions.preview(run, stage)
        except NotFound as error:
            raise InvalidRequest("That execution is not there any more.") from error
        it.previewed = Previewed.of(
            run, self._secrets.hide({key: one.value for key, one in found.items()}), found
        )

    async def do_save(self, it: _Editing) -> None:
        """Store the draft, unless somebody else changed the pipeline meanwhile; ``over/VERSION`` also then."""
        over, _, version = it.argument.partition("/")
        base = version if over == "over" else it.base
        document = self._secrets.reveal(it.draft, it.versions)
        document = {
            **document,
            "id": it.stored["id"],
            "application": it.stored["application"],
            "updateTs": base,
        }
        try:
            saved = await self._services.pipelines.update(
                it.stored["id"], document, self._caller, stale_check=True
            )
        except InvalidRequest as error:
            if error.pointer != "/updateTs":
                raise
            it.theirs = self._secrets.hide(await self._services.pipelines.get(it.stored["id"]))
            return
        it.stored, it.draft, it.base = saved, self._secrets.hide(saved), str(saved["updateTs"])
        it.done, it.undone, it.is_saved = [], [], True


def editor_routes(services: WebServices, renderer: Renderer, secrets: Secrets) -> Sequence[Route]:
    """Give the routes of the editor."""

    async def opened(request: Request) -> Response:
        stored = await pipeline_of(services, request)
        draft = with_refs(await asyncio.to_thread(secrets.hide, stored))
        asked = request.query_params
        panel = asked.get("panel", "stage")
        it = _Editing(
            stored=stored,
            versions=[stored],
            draft=draft,
            base=str(stored["updateTs"]),
            panel=panel if panel in PANELS else "stage",
            ref=asked.get("stage") or _first(draft),
        )
        return await show(request, it)

    async def done(request: Request) -> Response:
        form = await read_form(request)
        stored = await pipeline_of(services, request)
        versions = [stored, *await services.pipelines.history(stored["id"], _VERSIONS)]
        before = read_object(form.raw("draft"), what="The draft")
        name, _, argument = form.raw("op").partition(":")
        it = _Editing(
            stored=stored,
            versions=versions,
            draft=before,
            base=form.text("base"),
            panel=form.text("panel"),
            ref=form.text("ref"),
            form=form,
            argument=argument,
            done=unpack(form.raw("done")),
            undone=unpack(form.raw("undone")),
        )
        await _operate(_Editor(services, secrets, _caller(request)), it, name)
        it.draft = await asyncio.to_thread(secrets.hide, it.draft)
        it.turn = _number(form.text("turn")) + (name not in _STAYING or it.panel in _TEXTS)
        it.takes_focus = name in _MOVING or it.panel in _TEXTS
        if not it.is_saved and name not in _STEPS:
            it.remember(before)
        if it.is_saved and not is_fragment(request):
            return renderer.redirect(_address(request, it), say=_SAVED)
        return await show(request, it)

    async def show(request: Request, it: _Editing) -> Response:
        values = await _values(services, secrets, request, it)
        refused = bool(it.errors) or bool(it.refusal)
        status = 409 if it.theirs is not None else 400 if refused else 200
        # A pipeline of megabytes takes seconds to show, which are not the loop's.
        if not is_fragment(request):
            answer = await asyncio.to_thread(renderer.page, request, "editor.html", status, **values)
            answer.headers["Content-Security-Policy"] += _MORE_STYLE
            return answer
        answer = await asyncio.to_thread(renderer.fragment, request, "editor.html", "editor", **values)
        answer.headers["HX-Replace-Url"] = _address(request, it)
        if it.is_saved:
            answer.headers["HX-Trigger"] = json.dumps({"masthead:say": {"kind": "succeeded", "text": _SAVED}})
        return answer

    at = "/ui/applications/{app}/pipelines/{id}/edit"
    return [
        Route(at, opened, methods=["GET"], name="editor of a pipeline"),
        Route(at, done, methods=["POST"], name="edit a pipeline"),
    ]


_SAVED = "The pipeline is saved."
#: What Chromium writes into CodeMirror's text while somebody types: ADR 8.
_MORE_STYLE = "; style-src-attr 'unsafe-inline'"
#: Operations that walk through drafts and make none.
_STEPS = ("undo", "redo")
#: Operations after which the panel shows what was typed.
_STAYING = ("", "apply", "preview", "save")
#: Operations whose button may be gone afterwards, so that the focus goes to what they made.
_MOVING = ("add", "duplicate", "remove", "list")
#: Panels that are one text.
_TEXTS = ("stage-json", "json")


async def _operate(editor: _Editor, it: _Editing, name: str) -> None:
    """Take over what the panel says and do the operation; a panel that cannot be read is shown again as it was typed."""
    deed = getattr(editor, f"do_{name or 'apply'}", editor.do_apply)
    if name in _STEPS:
        await deed(it)
        return
    before = it.draft
    it.draft = apply_panel(before, (it.panel, it.ref), it.form, it.errors, editor.types)
    if it.errors:
        it.draft, it.typed = before, it.form
        return
    if it.panel == "stage-json" and it.draft != before:
        it.ref = _renamed(before, it.draft, it.ref)
    applied = it.draft
    try:
        await deed(it)
    except InvalidRequest as error:
        it.draft = applied
        it.refusal = "\n".join(error.errors or (error.message,))


def _renamed(before: Draft, after: Draft, ref: str) -> str:
    """Give the refId that the stage has now, which was *ref* before its JSON was edited."""
    for one, other in zip(stages_of(before), stages_of(after), strict=False):
        if str(one.get("refId")) == ref:
            return str(other.get("refId") or ref)
    return ref


async def _values(services: WebServices, secrets: Secrets, request: Request, it: _Editing) -> dict[str, Any]:
    try:
        plain = await asyncio.to_thread(secrets.reveal, it.draft, it.versions)
    except InvalidRequest as error:
        plain, it.refusal = it.draft, it.refusal or error.message
    caller = _caller(request)
    runs = (await services.executions.last_runs([it.stored["id"]], limit=20))[it.stored["id"]]
    pipelines = await services.pipelines.list_all() if it.panel in ("triggers", "stage") else []
    shown = Shown(
        draft=it.draft,
        plain=plain,
        panel=it.panel,
        ref=it.ref if find_stage(it.draft, it.ref) is not None else _first(it.draft),
        errors=it.errors,
        typed=it.typed,
    )
    wakes = await wakes_of(stages_of(plain), services.preflights, caller)
    told = {
        "runs": [
            (run.id, f"{from_ms(run.start_at or run.build_at):%Y-%m-%d %H:%M:%S}, {look_of(run.status).word}")
            for run in runs
        ],
        "pipelines": pipelines,
        "oncalls_as_of": oncalls_as_of(services),
    }
    return told | await asyncio.to_thread(_pictured, services, secrets, it, shown, wakes)


def _pictured(
    services: WebServices, secrets: Secrets, it: _Editing, shown: Shown, wakes: Sequence[Wake]
) -> dict[str, Any]:
    """Give what the template needs and nobody else has to be asked for."""
    base = next((one for one in it.versions if str(one.get("updateTs")) == it.base), it.stored)
    hidden_base = secrets.hide(base)
    return {
        **values_of(shown, wakes, pipelines=services.pipelines, types=services.executions.types),
        "stored": it.stored,
        "application": str(it.stored["application"]),
        "base": it.base,
        "turn": it.turn,
        "takes_focus": it.takes_focus and not it.errors and it.theirs is None,
        "draft_text": json.dumps(it.draft, ensure_ascii=False),
        "done": pack(it.done),
        "undone": pack(it.undone),
        "may_undo": bool(it.done),
        "may_redo": bool(it.undone),
        "is_changed": it.draft != with_refs(hidden_base),
        "refusal": it.refusal,
        "previewed": it.previewed,
        "theirs": it.theirs,
        "their_changes": diff(edited(hidden_base), edited(it.theirs)) if it.theirs else (),
        "my_changes": diff(edited(hidden_base), edited(it.draft)) if it.theirs else (),
        "written": written,
    }


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope.get("masthead.caller", ANONYMOUS)
    return caller


def _first(draft: Draft) -> str:
    """Give the refId of the stage that is shown first."""
    stages = stages_of(draft)
    return str(stages[0].get("refId") or "") if stages else ""


def _address(request: Request, it: _Editing) -> str:
    given = {"stage": it.ref, "panel": it.panel if it.panel != "stage" else ""}
    query = urlencode({name: value for name, value in given.items() if value})
    return request.url.path + (f"?{query}" if query else "")
