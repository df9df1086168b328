// What was looked at lately, kept by this browser alone: titles and addresses of pages that name themselves in
// <meta name="recent">, for the user who is there now.
const KEY = "masthead:recent";
const MOST = 12;
const user = document.querySelector(".user")?.textContent.trim() ?? "";

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return kept?.user === user && Array.isArray(kept.items) ? kept.items : [];
  } catch {
    return [];
  }
}

function remember(title, path) {
  const items = [{ title, path }, ...load().filter((one) => one.path !== path)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify({ user, items }));
  } catch {
    // full, or not allowed: nothing is remembered
  }
}

const named = document.querySelector('meta[name="recent"]')?.content;
if (named) remember(named, location.pathname);

for (const section of document.querySelectorAll("[data-recent-list]")) {
  const items = load();
  section.hidden = items.length === 0;
  for (const { title, path } of items) {
    if (!path.startsWith("/ui/")) continue;
    const link = Object.assign(document.createElement("a"), { href: path, textContent: title });
    const line = document.createElement("li");
    line.append(link);
    section.querySelector("ul").append(line);
  }
}
