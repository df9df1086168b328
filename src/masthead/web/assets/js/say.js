import { icon } from "./icon.js";

// Live messages: what the server says by `HX-Trigger: {"masthead:say": {"kind": "failed", "text": "…"}}`, and what scripts say.
const KINDS = ["succeeded", "failed", "warning", "neutral"];
const SECONDS = 8;

export function say(text, kind = "neutral") {
  const live = document.getElementById("live");
  const line = document.createElement("p");
  line.className = `said ${KINDS.includes(kind) ? kind : "neutral"}`;
  line.append(icon(kind), Object.assign(document.createElement("span"), { textContent: text }), dismissal(line));
  live.append(line);
  leaveSoon(line, kind);
  while (live.children.length > 4) live.firstElementChild.remove();
}

function dismissal(line) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.setAttribute("aria-label", "Dismiss");
  button.append(icon("close"));
  button.addEventListener("click", () => line.remove());
  return button;
}

// What failed stays until it is dismissed.
function leaveSoon(line, kind) {
  if (kind !== "failed") setTimeout(() => line.remove(), SECONDS * 1000);
}

document.addEventListener("masthead:say", (event) => say(event.detail.text, event.detail.kind));
for (const line of document.querySelectorAll("#live .said")) {
  line.append(dismissal(line));
  leaveSoon(line, line.classList.contains("failed") ? "failed" : "");
}
