// The key, the list of shortcuts, and the question before something is deleted.

import { ask, byId, el } from "./dom.js";
import { t } from "./i18n.js";
import { SHORTCUTS, setShortcuts, shortcutsAreOn } from "./keyboard.js";
import { apiKey, setApiKey } from "./storage.js";

export function startDialogs() {
  byId("open-key").addEventListener("click", askForKey);
  byId("open-help").addEventListener("click", showHelp);
  document.addEventListener("help", showHelp);
  byId("shortcuts").addEventListener("change", (event) => setShortcuts(event.target.checked));
  document.addEventListener("key-needed", tellOfKey);
}

function tellOfKey() {
  const notice = byId("notice");
  notice.hidden = false;
  notice.replaceChildren(
    el("span", {}, t("key.needed")),
    el("button", { type: "button", on: { click: askForKey } }, t("key.open")),
  );
}

async function askForKey() {
  const field = byId("key-value");
  field.value = apiKey();
  if ((await ask(byId("key-dialog"))) !== "save") return;
  setApiKey(field.value.trim());
  byId("notice").hidden = true;
  document.dispatchEvent(new CustomEvent("key"));
}

function showHelp() {
  byId("help-list").replaceChildren(
    ...SHORTCUTS.flatMap(([keys, text]) => [el("dt", {}, ...keys.map((key) => el("kbd", {}, key))), el("dd", {}, t(text))]),
  );
  byId("shortcuts").checked = shortcutsAreOn();
  ask(byId("help-dialog"));
}

/** Whether the person wants it deleted. */
export async function confirmDeletion(name) {
  byId("delete-name").textContent = name;
  return (await ask(byId("delete-dialog"))) === "delete";
}
