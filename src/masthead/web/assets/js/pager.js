// What is chosen on the pager: kept while the filter changes, shown as chips, and told by the address.
import { icon } from "./icon.js";

const form = document.querySelector("form[data-pager]");

if (form) {
  const tray = form.querySelector(".tray");
  const chips = tray.querySelector(".chips");
  const ask = tray.querySelector("[data-ask]");
  const clear = tray.querySelector("[data-clear]");
  const chosen = new Map([...chips.children].map((chip) => [chip.dataset.id, chip.querySelector("span").textContent]));

  function show() {
    const boxes = new Map([...form.querySelectorAll('#found input[name="service"]')].map((box) => [box.value, box]));
    for (const [id, box] of boxes) box.checked = chosen.has(id);
    chips.replaceChildren(...[...chosen].map(([id, name]) => chip(id, name, boxes.has(id))));
    const count = `${chosen.size} ${chosen.size === 1 ? "service" : "services"}`;
    tray.querySelector(".count").textContent = chosen.size ? `${count} chosen` : "Nothing chosen yet";
    ask.textContent = chosen.size ? `Page ${count}…` : "Page…";
    ask.toggleAttribute("aria-disabled", !chosen.size);
    if (!chosen.size) ask.setAttribute("aria-disabled", "true");
    clear.hidden = !chosen.size;
  }

  function chip(id, name, isShown) {
    const item = document.createElement("li");
    item.className = "chip";
    item.dataset.id = id;
    if (!isShown) item.append(Object.assign(document.createElement("input"), { type: "hidden", name: "service", value: id }));
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "plain" });
    remove.setAttribute("aria-label", `Remove ${name}`);
    remove.append(icon("close"));
    item.append(Object.assign(document.createElement("span"), { textContent: name }), remove);
    return item;
  }

  function tell() {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    history.replaceState(history.state, "", `/ui/page${query.size ? `?${query}` : ""}`);
  }

  form.addEventListener("change", (event) => {
    const box = event.target.closest('#found input[name="service"]');
    if (!box) return;
    if (box.checked) chosen.set(box.value, box.dataset.name);
    else chosen.delete(box.value);
    show();
    tell();
  });
  chips.addEventListener("click", (event) => {
    const item = event.target.closest("button")?.closest(".chip");
    if (!item) return;
    event.preventDefault();
    const next = item.nextElementSibling ?? item.previousElementSibling;
    chosen.delete(item.dataset.id);
    const nextId = next?.dataset.id;
    show();
    tell();
    (nextId ? [...chips.children].find((one) => one.dataset.id === nextId)?.querySelector("button") : form.querySelector('input[name="q"]'))?.focus();
  });
  clear.addEventListener("click", (event) => {
    event.preventDefault();
    chosen.clear();
    form.querySelector('input[name="for"]')?.remove();
    show();
    tell();
    form.querySelector('input[name="q"]').focus();
  });
  ask.addEventListener("click", (event) => {
    event.preventDefault();
    if (!chosen.size) return;
    const query = new URLSearchParams([...new FormData(form)].filter(([name]) => !["q", "owned", "sort"].includes(name)));
    window.htmx.ajax("GET", `/ui/page/confirm?${query}`, { source: ask, target: "#dialog", swap: "innerHTML" });
  });
  // Enter in the filter is answered by the filter itself.
  form.addEventListener("submit", (event) => {
    if (!event.submitter || event.submitter.name !== "offset") event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", show);
  show();
}
