// The files of a document that is done, to be saved.

import { fileUrl, filePath } from "./api.js";
import { el } from "./dom.js";
import { problemText, t } from "./i18n.js";

const OFFERED = ["markdown", "json", "searchable_pdf", "tables_xlsx", "source"];
const KEPT_MS = 60_000;

export class Downloads {
  constructor(id) {
    this._id = id;
    this.root = el("details", { class: "menu", hidden: true });
    this.root.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.root.contains(event.relatedTarget)) this.root.open = false;
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.root.open) return;
      event.preventDefault();
      this.root.open = false;
      this.root.querySelector("summary").focus();
    });
  }

  /** null: the document is not done. */
  show(summary) {
    this.root.hidden = summary === null;
    if (summary === null) return;
    const stem = summary.filename.replace(/\.[^.]*$/, "") || "document";
    const links = OFFERED.filter((name) => summary.outputs[name]).map((name) => this._link(name, summary.outputs[name], stem));
    this.root.replaceChildren(el("summary", { class: "button primary" }, t("doc.download")), el("div", { class: "menu-items" }, ...links));
  }

  _link(name, path, stem) {
    const file = stem + path.slice(path.lastIndexOf("."));
    const link = el("a", { href: filePath(this._id, path), data: { output: name } }, t(`doc.download.${name}`));
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this._save(link, path, file);
    });
    return link;
  }

  /** Fetched here: the key goes in a header, and the file gets the document's name instead of the one it has on the service. */
  async _save(link, path, file) {
    link.setAttribute("aria-busy", "true");
    try {
      const url = await fileUrl(this._id, path);
      el("a", { href: url, download: file }).click();
      setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
    } catch (error) {
      link.after(el("p", { class: "small muted", role: "alert" }, problemText(error)));
    } finally {
      link.removeAttribute("aria-busy");
    }
  }
}
