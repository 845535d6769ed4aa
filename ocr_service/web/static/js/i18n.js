// Russian and English: the browser's choice until a person makes one.

import { remember, remembered } from "./storage.js";
import en from "./texts_en.js";
import ru from "./texts_ru.js";

const TEXTS = { en, ru };
let language = "en";

/** The text of a key with `{name}` filled in. `n` chooses between plural forms where the text has them. */
export function t(key, values = {}) {
  let text = TEXTS[language][key] ?? TEXTS.en[key] ?? key;
  if (typeof text === "object") text = text[new Intl.PluralRules(language).select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : value;
  });
}

/** Whether there is a text of that key. */
export const known = (key) => key in TEXTS.en;

export const number = (value, digits = 0) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);

export const date = (value) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(value));

export function duration(seconds) {
  if (seconds < 60) return t("seconds", { n: Math.max(1, Math.round(seconds)) });
  return seconds < 5400 ? t("minutes", { n: Math.round(seconds / 60) }) : t("hours", { n: Math.round(seconds / 3600) });
}

/** What went wrong, in the reader's language where the code is known. */
export function problemText(problem) {
  const key = `problem.${problem.code}`;
  return known(key) ? t(key) : problem.detail || problem.message || t("problem.http");
}

/** Why the VLM's answer was judged as it was; a reason that has no text here is shown in the service's words. */
export function reasonText(reason) {
  const key = `reason.${reason.toLowerCase().replace(/[^a-z]+/g, "_")}`;
  return known(key) ? t(key) : reason;
}

/** Fills in every element that names its text; elements of `root` only. */
export function translate(root = document) {
  for (const node of root.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of root.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", t(node.dataset.label));
    if (node.tagName === "BUTTON") node.title = t(node.dataset.label);
  }
}

export function startLanguage() {
  const chosen = remembered("language");
  const wanted = chosen ? [chosen] : navigator.languages ?? [navigator.language];
  const first = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in TEXTS);
  // Neighbours of Russian are better served by it than by English.
  const neighbour = wanted.some((tag) => /^(be|uk|kk|ky)/i.test(tag)) ? "ru" : "en";
  apply(first ?? neighbour);
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.addEventListener("click", () => {
      remember("language", button.dataset.lang);
      apply(button.dataset.lang);
      document.dispatchEvent(new CustomEvent("language"));
    });
  }
}

function apply(name) {
  language = name;
  document.documentElement.lang = name;
  for (const button of document.querySelectorAll("[data-lang]")) button.setAttribute("aria-pressed", String(button.dataset.lang === name));
  translate();
}
