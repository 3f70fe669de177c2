/** Light or dark: as the system has it, unless the person chose. */
import { Store, useStore } from "../store";

export type Theme = "light" | "dark";
export type ThemeChoice = Theme | "system";

const KEY = "spellwork.theme";

function readChoice(): ThemeChoice {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

function systemTheme(): Theme {
  return globalThis.matchMedia?.("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

const choice = new Store<ThemeChoice>(readChoice());
const theme = new Store<Theme>("light");

function apply(): void {
  const chosen = choice.get();
  theme.set(chosen === "system" ? systemTheme() : chosen);
  document.documentElement.dataset.theme = theme.get();
}

/** Put the theme on the page and follow the system; call once when the page starts. */
export function startTheme(): void {
  apply();
  globalThis.matchMedia?.("(prefers-color-scheme: dark)").addEventListener("change", apply);
}

/** Choose for this browser; `system` follows the system again. */
export function chooseTheme(next: ThemeChoice): void {
  choice.set(next);
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Then the choice lasts as long as the page.
  }
  apply();
}

export function useTheme(): Theme {
  return useStore(theme);
}

export function useThemeChoice(): ThemeChoice {
  return useStore(choice);
}
