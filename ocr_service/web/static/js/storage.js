// What this browser remembers. Storage may be forbidden or full: then it is forgotten with the page.

const PREFIX = "ocr.";
const memory = new Map();

function guarded(action, otherwise) {
  try {
    return action();
  } catch {
    return otherwise();
  }
}

export function remembered(name) {
  return guarded(() => localStorage.getItem(PREFIX + name), () => memory.get(name) ?? null);
}

export function remember(name, value) {
  memory.set(name, value);
  guarded(() => localStorage.setItem(PREFIX + name, value), () => undefined);
}

/** Calls when another tab of this browser has changed what is remembered. */
export function onRemembered(name, changed, signal) {
  window.addEventListener("storage", (event) => event.key === PREFIX + name && changed(), { signal });
}

/** The API key lives as long as the tab. */
export function apiKey() {
  return guarded(() => sessionStorage.getItem(`${PREFIX}key`), () => memory.get("key")) ?? "";
}

export function setApiKey(value) {
  memory.set("key", value);
  guarded(() => (value ? sessionStorage.setItem(`${PREFIX}key`, value) : sessionStorage.removeItem(`${PREFIX}key`)), () => undefined);
}
