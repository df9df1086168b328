// CodeMirror over every <textarea data-editor="json">: the textarea keeps the text, so the form works without this too.
import { autocompletion, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, linter } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// Colours are the page's tokens, which reach into the shadow root, so both themes follow.
const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--code-name)" },
  { tag: tags.string, color: "var(--code-text)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-value)" },
  { tag: tags.punctuation, color: "var(--quiet)" },
]);

const look = EditorView.theme({
  "&": { border: "1px solid var(--edge)", borderRadius: "4px", background: "var(--paper)", color: "var(--ink)", maxHeight: "70vh" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { font: "13px/20px ui-monospace, monospace", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { background: "var(--raised)", color: "var(--quiet)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { background: "var(--raised)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--selected)" },
  ".cm-panels, .cm-tooltip": { background: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--failed)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--paused)" },
  // CodeMirror draws these with images written into its styles, which the policy forbids.
  ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy var(--paused) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange.cm-lintRange-error": { backgroundImage: "none", textDecorationColor: "var(--failed)" },
  ".cm-lintRange.cm-lintRange-warning": { backgroundImage: "none" },
  ".cm-lint-marker, .cm-lint-marker.cm-lint-marker-error, .cm-lint-marker.cm-lint-marker-warning": { content: "none" },
  ".cm-lint-marker::after": { content: "'▲'", color: "var(--paused)", fontSize: "11px" },
  ".cm-lint-marker-error::after": { content: "'✕'", color: "var(--failed)", fontWeight: "700" },
});

// What the server said of the text, each with its line; it holds until the text changes.
function told(area, view) {
  if (area.value !== area.defaultValue) return [];
  return JSON.parse(area.dataset.marks ?? "[]")
    .filter((one) => one.line <= view.state.doc.lines)
    .map((one) => {
      const line = view.state.doc.line(one.line);
      const from = line.from + line.text.search(/\S|$/);
      return { from, to: line.to, severity: one.isError ? "error" : "warning", message: one.text };
    });
}

export function enhance(area) {
  const host = document.createElement("div");
  host.className = "editor";
  const root = host.attachShadow({ mode: "open" });
  area.after(host);
  area.hidden = true;
  const label = area.labels?.[0]?.textContent.trim() ?? area.getAttribute("aria-label") ?? "JSON";
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        autocompletion(), highlightActiveLine(), highlightSelectionMatches(), search({ top: true }), json(),
        syntaxHighlighting(colours), look, EditorView.lineWrapping,
        linter((view) => [...jsonParseLinter()(view), ...told(area, view)], { delay: 300 }),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorView.editable.of(!area.readOnly),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    }),
  });
  host.view = view;
  return view;
}

// A draft that is not saved is not left by mistake.
let isLeaving = false;
document.addEventListener("submit", (event) => {
  isLeaving = event.target.id === "editor";
});
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.id === "editor") form.dataset.unsaved = "";
  isLeaving = false;
});
addEventListener("beforeunload", (event) => {
  if (!isLeaving && document.querySelector("#editor[data-unsaved]")) event.preventDefault();
});
document.addEventListener("htmx:after:swap", () => {
  isLeaving = false;
});

function enhanceAll(root) {
  for (const area of root.querySelectorAll?.('textarea[data-editor="json"]:not([hidden])') ?? []) enhance(area);
}

enhanceAll(document);
document.addEventListener("htmx:after:swap", (event) => enhanceAll(event.target));
