// Where the focus goes: to what is wrong with a form, and by one key to the field that looks for something.

// `/` leads to the page's own filter if it has one, else to the search of everything.
const fields = () => document.querySelectorAll('[data-shortcut="/"]');
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const field = [...fields()].at(-1);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// The key is written where it leads.
const key = document.querySelector(".seek kbd");
if (key) key.hidden = fields().length > 1;

function isTyping(event) {
  const at = event.composedPath()[0];
  return at instanceof Element && at.closest("input, textarea, select, [contenteditable=true], .cm-editor") !== null;
}

function focusOn(root) {
  root.querySelector?.("[data-focus]")?.focus();
}

focusOn(document);
document.addEventListener("htmx:after:swap", (event) => focusOn(event.target));
