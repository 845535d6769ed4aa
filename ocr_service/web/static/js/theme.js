// The system's theme, or the one that was chosen here.

import { byId } from "./dom.js";
import { remember, remembered } from "./storage.js";

export function startTheme() {
  const chooser = byId("theme");
  chooser.value = remembered("theme") ?? "system";
  if (chooser.value === "") chooser.value = "system";
  chooser.addEventListener("change", () => {
    remember("theme", chooser.value);
    if (chooser.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chooser.value;
  });
}
