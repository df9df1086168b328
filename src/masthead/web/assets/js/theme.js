// The theme switch without loading the page anew; without script its form does the same.
const YEAR_S = 365 * 24 * 3600;

document.querySelector("[data-themes]")?.addEventListener("submit", (event) => {
  const theme = event.submitter?.value;
  if (!theme) return;
  event.preventDefault();
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `masthead_theme=${theme}; Path=/ui/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
  document.documentElement.dataset.theme = theme;
  document.querySelector('meta[name="color-scheme"]').content = theme === "system" ? "light dark" : theme;
  for (const button of event.target.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
});
