/** Goes round: as the system, light, dark. */
import { Monitor, Moon, Sun } from "lucide-react";
import { chooseTheme, type ThemeChoice, useThemeChoice } from "../theme";

const NEXT: Readonly<Record<ThemeChoice, ThemeChoice>> = { system: "light", light: "dark", dark: "system" };
const LOOKS = {
  system: { icon: Monitor, words: "Theme: as the system" },
  light: { icon: Sun, words: "Theme: light" },
  dark: { icon: Moon, words: "Theme: dark" },
} as const;

export function ThemeButton() {
  const choice = useThemeChoice();
  const { icon: Icon, words } = LOOKS[choice];
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={words}
      title={words}
      data-testid="theme-button"
      onClick={() => chooseTheme(NEXT[choice])}
    >
      <Icon size={16} />
    </button>
  );
}
