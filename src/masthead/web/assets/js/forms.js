// A form is posted once, however often its button is pressed, and not at all while Masthead does not answer: the browser's
// own page of errors would take the place of what was typed.
import { answers } from "./connection.js";
import { icon } from "./icon.js";

const answered = new WeakSet();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || answered.delete(form)) return;
  event.preventDefault();
  if (form.dataset.sent) return;
  lock(form);
  send(form, event.submitter);
});

async function send(form, submitter) {
  if (await answers()) {
    answered.add(form);
    form.requestSubmit(submitter);
    if (!form.hasAttribute("data-once")) unlock(form);
  } else {
    unlock(form);
    tell(form);
  }
}

function lock(form) {
  form.dataset.sent = "true";
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", "true");
}

function unlock(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("button[aria-disabled]")) button.removeAttribute("aria-disabled");
}

// In the form itself, so that it is heard inside a dialog, too.
function tell(form) {
  form.querySelector("[data-unsent]")?.remove();
  const line = Object.assign(document.createElement("p"), { className: "error" });
  line.dataset.unsent = "";
  line.setAttribute("role", "alert");
  line.append(icon("failed"), "Masthead does not answer, so nothing was sent. What you typed stays here: try again when it is back.");
  (form.querySelector(".actions") ?? form.lastElementChild).before(line);
}

document.addEventListener("masthead:back", () => {
  for (const line of document.querySelectorAll("[data-unsent]")) line.remove();
});

// A filter that answers while one types needs no button; Enter asks at once ("search").
for (const button of document.querySelectorAll("button[data-plain]")) button.remove();

// Back from a page that was left by a form: it may be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("form[data-sent]")) unlock(form);
});
