// An execution that runs, live: the server tells a version, the page fetches what it shows, and nothing typed is lost.
const SILENCE_MS = 25000;
const view = () => document.getElementById("execution");
const bar = () => document.getElementById("follow");
let heldAt = null;
let heardAt = 0;
let connection = null;
let htmx = null;

function show(state, text) {
  const it = bar();
  if (!it) return;
  it.dataset.state = state;
  it.querySelector("[data-word]").textContent = text;
  const button = it.querySelector("[data-hold]");
  button.hidden = false;
  button.textContent = heldAt ? "Go on updating" : "Hold updates";
}

const held = () => show("held", `Updates are held: what you see is as of ${heldAt.toLocaleTimeString()}.`);

function look(version) {
  heardAt = Date.now();
  if (heldAt) return held();
  show("live", "Live: changes show by themselves.");
  const it = view();
  if (it && version && it.dataset.version !== version) window.htmx.trigger(it, "changed");
}

// The element outlives all changes of the page, so what listens to it is tied once.
document.addEventListener("version", (event) => look(event.detail.data));
document.addEventListener("alive", (event) => look(event.detail.data));
document.addEventListener("htmx:sse:after:connection", (event) => {
  if (event.target !== bar()) return;
  connection = event.detail.connection;
  heardAt = Date.now();
});
document.addEventListener("htmx:sse:error", (event) => {
  if (event.target === bar()) show("lost", "The connection is lost; trying again.");
});
// The first connection failed, and the extension does not try it again by itself.
document.addEventListener("masthead:back", () => {
  const it = bar();
  if (it) window.htmx.trigger(it, "connect");
  if (view()) window.htmx.trigger(view(), "changed");
});

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-hold]")) return;
  heldAt = heldAt ? null : new Date();
  if (heldAt) return held();
  show("live", "Live: changes show by themselves.");
  window.htmx.trigger(view(), "changed");
});

// What is looked at anew is the stage that the address says, whatever it was when the look was due: somebody may have
// chosen another one meanwhile, and an answer about the former comes too late.
const given = (address, name) => new URL(address, location.href).searchParams.get(name);
// After a form that was refused the address is the form's, which says nothing.
const isWanted = (address) =>
  new URL(address, location.href).pathname !== location.pathname || given(address, "stage") === given(location.href, "stage");

// When it is sent, not when it is due: it may have waited for the one before it.
document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  if (!view() || ctx.sourceElement !== view()) return;
  const is = isWanted(ctx.request.action);
  const address = new URL(is ? ctx.request.action : location.href, location.href);
  // By this the server knows what is shown and need not be sent.
  address.searchParams.set("since", view().dataset.shown);
  ctx.request.action = address.pathname + address.search;
});
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (!view() || ctx.sourceElement !== view()) return;
  const isLate = ctx.swap === "changes" && given(ctx.request.action, "since") !== view().dataset.shown;
  if (isLate || !isWanted(ctx.request.action)) event.preventDefault();
  if (isLate) window.htmx.trigger(view(), "changed");
});

// Single changes: each element takes the place of that with its id, and keeps the focus and what is open in it.
function change(whole) {
  Object.assign(view().dataset, whole.dataset);
  for (const part of whole.querySelectorAll(":scope > li, :scope > svg > a")) match(document.getElementById(part.id), part);
  return [...whole.querySelectorAll(":scope > :not(li, svg)")].map((part) => {
    const old = document.getElementById(part.id);
    const piece = new DocumentFragment();
    piece.append(part);
    htmx.morph(old, piece, false);
    return old;
  });
}

// Rows and places of the graph change in their texts and attributes; there is nothing to look for, as a morph does.
function match(old, now) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && name !== "data-htmx-powered") old.removeAttribute(name);
  const [before, after] = [[...old.childNodes], [...now.childNodes]];
  after.forEach((each, at) => {
    const was = before[at];
    if (was?.nodeName === each.nodeName) match(was, each);
    else if (was) was.replaceWith(each);
    else old.append(each);
  });
  for (const left of before.slice(after.length)) left.remove();
}

// When nothing can change any more, nothing is followed.
document.addEventListener("htmx:after:swap", () => {
  if (view()?.dataset.moving === "false") bar()?.remove();
});

// A connection that says nothing any more is none.
function listen() {
  if (!bar() || document.hidden || !connection || Date.now() - heardAt < SILENCE_MS) return;
  show("lost", "The connection is lost; trying again.");
  heardAt = Date.now();
  connection.reader?.cancel();
}

// What is chosen is in sight, wherever a large graph or a long list has it.
for (const box of document.querySelectorAll(".graph-box, .timeline")) {
  const it = box.querySelector(".chosen, [aria-current]")?.getBoundingClientRect();
  const frame = box.getBoundingClientRect();
  if (it) box.scrollBy(it.left + it.width / 2 - frame.left - frame.width / 2, it.top + it.height / 2 - frame.top - frame.height / 2);
}

// What runs goes on counting. The server's clock and this one may differ; the page says what its clock was.
let skew = 0;
let toldAt = "";
function count() {
  listen();
  const now = document.querySelector("[data-now]")?.dataset.now;
  if (!now) return;
  if (now !== toldAt) {
    toldAt = now;
    skew = Date.now() - Number(now);
  }
  if (heldAt) return;
  for (const each of document.querySelectorAll("[data-since]")) {
    const text = words(Date.now() - skew - Number(each.dataset.since));
    if (each.textContent !== text) each.textContent = text;
  }
}

function words(ms) {
  const seconds = Math.max(Math.floor(ms / 1000), 0);
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = Math.max(units.findIndex(([size]) => seconds >= size), 0);
  if (seconds < 60) return `${seconds} s`;
  const rest = Math.floor((seconds % units[at][0]) / units[at + 1][0]);
  return `${Math.floor(seconds / units[at][0])} ${units[at][1]}${rest ? ` ${rest} ${units[at + 1][1]}` : ""}`;
}

if (document.querySelector("[data-now]")) setInterval(count, 1000);

// What somebody opened stays open when the page changes under it.
window.htmx.registerExtension("keep", {
  init: (api) => { htmx = api; },
  handle_swap: (style, target, fragment) => style === "changes" && change(fragment.firstElementChild),
  htmx_before_morph_attr: (element, { attrName }) => !(attrName === "open" && element.tagName === "DETAILS"),
});
