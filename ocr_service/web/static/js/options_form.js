// How the next files are read.

import { request } from "./api.js";
import { el } from "./dom.js";
import { t } from "./i18n.js";

const LANGUAGES = ["ru", "en", "be", "uk", "kk", "de", "fr", "zh"];

function field(name, label, control, hint) {
  const id = `option-${name}`;
  control.id = id;
  control.name = name;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return el("div", { class: "field" },
    el("label", { for: id, data: { text: label } }),
    control,
    hint && el("small", { id: `${id}-hint`, data: { text: hint } }));
}

function chooser(choices) {
  return el("select", {}, ...choices.map(([value, text]) => el("option", { value, data: { text } })));
}

function check(name, label, checked) {
  return el("label", { class: "check" }, el("input", { type: "checkbox", name, checked }), el("span", { data: { text: label } }));
}

export class OptionsForm {
  constructor() {
    this._vlm = chooser([["", "options.vlm.default"], ["auto", "options.vlm.auto"], ["all", "options.vlm.all"], ["none", "options.vlm.none"]]);
    const languages = LANGUAGES.map((code) => el("option", { value: code, data: { language: code } }));
    this._form = el("form", { class: "options-grid", autocomplete: "off", on: { submit: (event) => event.preventDefault() } },
      field("pages", "options.pages", el("input", { type: "text", inputmode: "text", spellcheck: "false" }), "options.pages.hint"),
      field("lang", "options.lang", el("select", {}, el("option", { value: "", data: { text: "options.lang.default" } }), ...languages)),
      field("dpi", "options.dpi", el("input", { type: "number", min: 72, max: 600, step: 1 }), "options.dpi.hint"),
      field("text_layer", "options.text_layer",
        chooser([["", "options.text_layer.auto"], ["ignore", "options.text_layer.ignore"], ["only", "options.text_layer.only"]])),
      field("vlm_policy", "options.vlm", this._vlm),
      field("password", "options.password", el("input", { type: "password", autocomplete: "off" }), "options.password.hint"),
      el("fieldset", { class: "field" },
        el("legend", { data: { text: "options.outputs" } }),
        check("tables", "options.tables", true),
        check("searchable_pdf", "options.searchable_pdf", true),
        check("include_headers_footers", "options.running", false)));
    this.root = el("details", { class: "options card" }, el("summary", { data: { text: "options.title" } }), this._form);
  }

  /** After every `translate`: the names of languages in the reader's own. */
  nameLanguages() {
    const names = new Intl.DisplayNames([document.documentElement.lang], { type: "language" });
    for (const option of this._form.querySelectorAll("option[data-language]")) option.textContent = names.of(option.dataset.language);
  }

  /** Where the deployment has no VLM, it cannot be asked for. */
  async start(signal) {
    try {
      const health = await (await request("health", { signal })).json();
      if (health.use_vlm_api) return;
      this._vlm.disabled = true;
      this._vlm.replaceChildren(el("option", { value: "", data: { text: "options.vlm.off" } }, t("options.vlm.off")));
    } catch {
      // Unknown: the service itself says so when it is asked for.
    }
  }

  reveal() {
    this.root.open = true;
  }

  /** The fields of the request; what is empty is the service's to decide. */
  fields() {
    const data = new FormData(this._form);
    const outputs = ["page_images", ...["tables", "searchable_pdf"].filter((name) => data.has(name))];
    const fields = { outputs: outputs.join(",") };
    for (const name of ["pages", "lang", "dpi", "text_layer", "vlm_policy", "password"]) if (data.get(name)) fields[name] = data.get(name);
    if (data.has("include_headers_footers")) fields.include_headers_footers = "true";
    return fields;
  }
}
