// Shortcuts. Letters are known by their place on the keyboard, so that they work with a Russian layout, too.

import { remember, remembered } from "./storage.js";

export const SHORTCUTS = [
  [["j", "k", "↓", "↑"], "help.next"],
  [["→", "←"], "help.page"],
  [["n"], "help.doubt"],
  [["r"], "help.raw"],
  [["Enter"], "help.side"],
  [["Esc"], "help.escape"],
  [["?"], "help.help"],
];

const ACTIONS = {
  KeyJ: (view) => view.step(1),
  KeyK: (view) => view.step(-1),
  ArrowDown: (view) => view.step(1),
  ArrowUp: (view) => view.step(-1),
  ArrowRight: (view) => view.turnPage(1),
  ArrowLeft: (view) => view.turnPage(-1),
  KeyN: (view) => view.nextDoubt(),
  KeyR: (view) => view.toggleRaw(),
  Escape: (view) => view.deselect(),
};

export const shortcutsAreOn = () => remembered("shortcuts") !== "off";
export const setShortcuts = (on) => remember("shortcuts", on ? "on" : "off");

/** `view` gives the view that is shown; one without these actions is left alone. */
export function startKeyboard(view) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !shortcutsAreOn()) return;
    if (document.querySelector("dialog[open]") || event.target.closest("input, select, textarea, summary, [contenteditable]")) return;
    if (event.key === "?") {
      document.dispatchEvent(new CustomEvent("help"));
      return;
    }
    const action = ACTIONS[event.code];
    if (!action || !view()?.step || (event.code.startsWith("Arrow") && !view().takesArrows(event.target))) return;
    event.preventDefault();
    action(view());
  });
}
