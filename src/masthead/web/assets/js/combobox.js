// The service select as an ARIA combobox: text, a list of options from the server, and the chosen id in a hidden field.
// Pattern: WAI-ARIA Authoring Practices, "Editable Combobox With List Autocomplete".
import { icon } from "./icon.js";

const WAIT_MS = 120;

class Combobox {
  constructor(field) {
    this.field = field;
    this.input = field.querySelector("input[type=text]");
    this.plain = field.querySelector(".plain-choice");
    const name = this.plain.querySelector("input")?.name ?? this.input.name.replace(/_q$/, "");
    const checked = this.plain.querySelector("input:checked");
    this.about = Object.assign(document.createElement("div"), { className: "chosen" });
    this.about.setAttribute("aria-live", "polite");
    this.value = Object.assign(document.createElement("input"), { type: "hidden", name, value: checked?.value ?? "" });
    if (checked?.value) this.about.append(...checked.parentElement.querySelector("span").cloneNode(true).childNodes);
    this.list = Object.assign(document.createElement("div"), { id: `${this.input.id}-list`, className: "options", hidden: true });
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "PagerDuty services");
    this.chosen = { text: this.input.value, value: this.value.value };
    this.active = null;
    this.build();
    this.listen();
  }

  build() {
    field_reset(this.field);
    this.plain.replaceWith(this.value, this.about);
    this.input.after(this.list);
    for (const [key, value] of Object.entries({
      role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": this.list.id, "aria-haspopup": "listbox",
    })) this.input.setAttribute(key, value);
    this.clear = Object.assign(document.createElement("button"), { type: "button", className: "plain clear" });
    this.clear.setAttribute("aria-label", "Choose none");
    this.clear.append(icon("close"));
    this.input.after(this.clear);
    this.clear.hidden = !this.value.value || this.input.getAttribute("aria-required") === "true";
  }

  listen() {
    this.input.addEventListener("input", () => { this.unchosen?.remove(); this.later(); });
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => this.list.hidden && this.look(""));
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.leave());
    this.clear.addEventListener("click", () => { this.choose(null); this.input.focus(); });
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.pick(event.target.closest("[role=option]")));
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(this.input.value), WAIT_MS);
  }

  async look(text) {
    this.asked?.abort();
    this.asked = new AbortController();
    const url = `${this.field.dataset.combobox}?q=${encodeURIComponent(text)}`;
    try {
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: this.asked.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      this.show(await answer.text());
    } catch (error) {
      if (error.name !== "AbortError") this.show('<div role="option" aria-disabled="true">The services cannot be read now.</div>');
    }
  }

  show(html) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    this.list.replaceChildren(...parsed.body.children);
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.move(null);
    for (const option of this.options()) option.setAttribute("aria-selected", String(option.dataset.id === this.value.value));
  }

  hide() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.move(null);
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  move(option) {
    this.active?.classList.remove("active");
    this.active = option;
    if (option) {
      option.classList.add("active");
      option.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", option.id);
    } else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const able = this.options().filter((one) => one.id);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (this.list.hidden) { this.look(this.input.value === this.chosen.text ? "" : this.input.value); return; }
      const at = able.indexOf(this.active);
      this.move(able[at < 0 ? (step > 0 ? 0 : able.length - 1) : (at + step + able.length) % able.length] ?? null);
    } else if (event.key === "Enter" && !this.list.hidden) {
      event.preventDefault();
      this.pick(this.active ?? (able.filter((one) => one.getAttribute("aria-disabled") !== "true").length === 1 ? able[0] : null));
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.hide();
      this.input.value = this.chosen.text;
    }
  }

  pick(option) {
    if (!option?.dataset.id || option.getAttribute("aria-disabled") === "true") return;
    this.choose(option);
  }

  choose(option) {
    this.chosen = { text: option?.dataset.name ?? "", value: option?.dataset.id ?? "" };
    this.input.value = this.chosen.text;
    this.value.value = this.chosen.value;
    this.about.replaceChildren(...(option ? option.cloneNode(true).childNodes : []));
    this.clear.hidden = !option || this.input.getAttribute("aria-required") === "true";
    this.hide();
    this.value.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // What was typed and not chosen is no choice: an emptied field means none, any other text falls back.
  leave() {
    if (!this.input.value.trim() && this.chosen.value && this.input.getAttribute("aria-required") !== "true") this.choose(null);
    else {
      const typed = this.input.value.trim();
      if (typed && typed !== this.chosen.text) this.doubt(typed);
      this.input.value = this.chosen.text;
    }
    this.hide();
  }

  // Said where it is seen, until something is chosen: nobody should save a form in the belief that what was typed counts.
  doubt(typed) {
    this.unchosen = Object.assign(document.createElement("p"), { className: "problem warning" });
    const kept = this.chosen.text ? `It stays ${this.chosen.text}.` : "None is chosen.";
    this.unchosen.append(icon("warning"), `“${typed}” was typed and no service of the list was chosen. ${kept}`);
    this.about.append(this.unchosen);
  }
}

function field_reset(field) {
  field.querySelector("button[name=look]")?.remove();
}

function enhance(root) {
  for (const field of root.querySelectorAll?.("[data-combobox]:not([data-ready])") ?? []) {
    field.dataset.ready = "true";
    new Combobox(field);
  }
}

enhance(document);
document.addEventListener("htmx:after:swap", (event) => enhance(event.target));
