// A lost connection shows as such, with the age of what is on the page, and heals by itself.
const AGAIN_MS = 2000;
let lostAt = null;
let timer = null;

function lost() {
  if (lostAt) return;
  lostAt = new Date();
  const box = document.getElementById("lost");
  box.textContent = `Masthead does not answer. What you see is as of ${lostAt.toLocaleTimeString()}. Trying again …`;
  box.hidden = false;
  timer = setInterval(knock, AGAIN_MS);
}

function found() {
  if (!lostAt) return;
  lostAt = null;
  clearInterval(timer);
  document.getElementById("lost").hidden = true;
  // Whoever shows something live listens for this and looks again.
  document.dispatchEvent(new CustomEvent("masthead:back", { bubbles: true }));
}

async function knock() {
  try {
    await fetch("/health", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(AGAIN_MS) });
    found();
  } catch (error) {
    return error;
  }
}

// Whether anything answers before a form is sent. One that is slow may well take it, so only one that is gone does not.
export async function answers() {
  const error = await knock();
  if (!error || error.name === "TimeoutError") return true;
  lost();
  return false;
}

// An answer, whatever its status, is a connection; no answer at all is none.
document.addEventListener("htmx:error", (event) => {
  const { ctx, error } = event.detail;
  if (error?.name !== "AbortError" && !ctx?.response) lost();
});
document.addEventListener("htmx:sse:error", (event) => {
  if (!event.detail.status) lost();
});
document.addEventListener("htmx:after:request", found);
document.addEventListener("htmx:sse:after:connection", found);

// A session that ended leads to the login, and back from there.
document.addEventListener("htmx:response:error", (event) => {
  if (event.detail.ctx?.response?.status === 401) location.reload();
});
