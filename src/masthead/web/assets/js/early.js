// htmx connects itself by a timer, and on a busy machine that comes behind the first keys. So it is told to begin now, and
// a filter that was typed into before that is answered, too.
window.htmx.initialize();
// The timer still comes; were everything connected twice, each stream would be opened twice.
window.htmx.initialize = () => {};
for (const field of document.querySelectorAll("input[type=search]")) {
  if (field.value !== field.defaultValue) field.dispatchEvent(new Event("input", { bubbles: true }));
}
