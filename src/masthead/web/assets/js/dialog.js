// A <dialog data-dialog> opens when a fragment was put into it, and closes by Escape, by Cancel, or beside it.

document.addEventListener("htmx:after:swap", () => {
  for (const dialog of document.querySelectorAll("dialog[data-dialog]")) {
    if (dialog.childElementCount && !dialog.open) {
      dialog.showModal();
      (dialog.querySelector("[data-focus]") ?? dialog.querySelector("input:not([type=hidden]), textarea, select"))?.focus();
    }
  }
});

document.addEventListener("click", (event) => {
  const dialog = event.target.closest?.("dialog[data-dialog]");
  if (dialog && (event.target === dialog || event.target.closest("[data-close]"))) dialog.close();
});

document.addEventListener("close", (event) => {
  if (event.target.matches?.("dialog[data-dialog]")) event.target.replaceChildren();
}, true);
