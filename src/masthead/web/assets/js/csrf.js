// Every deed that htmx asks for carries the session's token.
const token = document.querySelector('meta[name="csrf"]')?.content;

if (token) {
  document.addEventListener("htmx:config:request", (event) => {
    event.detail.ctx.request.headers["X-CSRF-Token"] = token;
  });
}
