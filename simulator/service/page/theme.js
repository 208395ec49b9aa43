// Light or dark: as the system says, until somebody says otherwise on this page.

import { byId, put } from "./dom.js";
import { t } from "./texts.js";

const KEY = "alertsim-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

const now = () => localStorage.getItem(KEY) ?? (dark.matches ? "dark" : "light");

function apply() {
  const chosen = localStorage.getItem(KEY);
  if (chosen) document.documentElement.dataset.theme = chosen;
  put(byId("theme"), t(now() === "dark" ? "theme.light" : "theme.dark"));
}

export function themed() {
  apply();
  dark.addEventListener("change", apply);
  byId("theme").addEventListener("click", () => {
    localStorage.setItem(KEY, now() === "dark" ? "light" : "dark");
    apply();
  });
}
