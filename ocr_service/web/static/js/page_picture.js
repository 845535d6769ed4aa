// The picture of a page with its blocks as buttons on it.

import { fileUrl } from "./api.js";
import { el } from "./dom.js";
import { SOURCES, doubtsOf, excerptOf, isDoubtfulInLinesOnly, sourceOf, weakLinesOf } from "./doubts.js";
import { problemText, t, translate } from "./i18n.js";
import { patiently } from "./patience.js";

const ZOOMS = [50, 75, 100, 150, 200, 300];
const FIT = 100;

/** Words for a block's name: ", low confidence, digits differ". */
export const doubtWords = (block) => doubtsOf(block).map((doubt) => `, ${t(`doubt.${doubt}`)}`).join("");

/** Why there is nothing of this page. */
export const failureOf = (page) => [el("strong", {}, t("doc.failed")), el("p", {}, problemText(page.error ?? {}))];

const share = (part, whole, more = "") => {
  const percent = `${((part / whole) * 100).toFixed(3)}%`;
  return more ? `calc(${percent} + ${more})` : percent;
};

/** Where on the sheet. */
function place([x0, y0, x1, y1], page, more = "") {
  return { left: share(x0, page.width), top: share(y0, page.height), width: share(x1 - x0, page.width, more), height: share(y1 - y0, page.height, more) };
}

const weakLines = (page) => page.blocks.flatMap(weakLinesOf).map((line) => el("span", { class: "weak-line", "aria-hidden": "true", style: place(line.bbox, page) }));

export class PagePicture {
  constructor(id, select) {
    this._id = id;
    this._select = select;
    this._zoom = FIT;
    this._loading = new AbortController();
    this._sheet = el("div", { class: "sheet" });
    this._note = el("p", { class: "muted small note", hidden: true });
    this._scroll = el("div", { class: "scroll", tabindex: 0, role: "region" }, this._sheet);
    this._legend = el("details", { class: "legend", open: !matchMedia("(max-width: 800px)").matches });
    this._failure = el("div", { class: "message", hidden: true });
    this._zoomTools = el("div", { class: "zoom", role: "group" },
        ...[["−", "doc.zoom.out", -1], ["↔", "doc.zoom.fit", 0], ["+", "doc.zoom.in", 1]].map(([sign, label, by]) =>
          el("button", { type: "button", class: "quiet", data: { label }, on: { click: () => this._zoomBy(by) } }, sign)));
    this.root = el("div", { class: "picture" }, this._zoomTools, this._note, this._failure, this._scroll, this._legend);
  }

  stop() {
    this._loading.abort();
    this._release();
  }

  show(page) {
    this._loading.abort();
    this._loading = new AbortController();
    const width = page.width ?? 1;
    const height = page.height ?? 1.414;
    this._scroll.setAttribute("aria-label", t("doc.image", { n: page.page }));
    this._sheet.style.setProperty("aspect-ratio", `${width} / ${height}`);
    this._buttons = new Map(page.blocks.map((block, index) => [block.id, this._button(block, index, page)]));
    const blocks = el("div", { class: "blocks", role: "group", "aria-label": t("doc.blocks", { n: page.page }) }, ...this._buttons.values());
    this._image = el("img", { class: "page-image", alt: "", draggable: "false" });
    this._image.hidden = true;
    this._sheet.replaceChildren(this._image, ...weakLines(page), blocks);
    this._sheet.classList.toggle("is-blank", !page.image);
    const isFailed = page.status === "failed";
    this._scroll.hidden = isFailed;
    this._legend.hidden = isFailed;
    this._zoomTools.hidden = isFailed;
    this._failure.hidden = !isFailed;
    this._failure.replaceChildren(...(isFailed ? failureOf(page) : []));
    this._note.hidden = Boolean(page.image) || isFailed;
    this._note.textContent = t("doc.no_image");
    this._showLegend(page);
    translate(this.root);
    if (page.image) this._load(page.image, this._image, this._loading.signal);
  }

  async _load(name, image, signal) {
    try {
      const url = await patiently(() => fileUrl(this._id, `images/${name}`, signal), signal);
      this._release();
      this._url = url;
      image.src = url;
      image.hidden = false;
    } catch {
      if (!signal.aborted) this._sheet.classList.add("is-blank");
    }
  }

  _release() {
    if (this._url) URL.revokeObjectURL(this._url);
    this._url = null;
  }

  _button(block, index, page) {
    const doubts = doubtsOf(block);
    const name = t("block.name", {
      n: index + 1, total: page.blocks.length, label: t(`label.${block.label}`), source: t(`source.${sourceOf(block)}`),
      doubts: doubtWords(block), text: excerptOf(block),
    });
    const look = doubts.length ? ` is-doubtful${isDoubtfulInLinesOnly(block) ? " in-lines" : ""}` : "";
    return el("button", {
      type: "button", class: `box source-${sourceOf(block)}${look}`, "aria-label": name, title: name,
      tabindex: index === 0 ? 0 : -1, data: { block: block.id },
      // A little larger than the block, so that the line does not lie on the letters.
      style: place(block.bbox, page, "6px"),
      on: { click: () => this._select(block.id, "picture") },
    }, doubts.length > 0 && el("span", { class: "mark", "aria-hidden": "true" }, "!"));
  }

  select(id, { scroll = false, focus = false }) {
    for (const [other, button] of this._buttons ?? []) {
      const isIt = other === id;
      button.classList.toggle("is-selected", isIt);
      if (isIt) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      if (id !== null) button.tabIndex = isIt ? 0 : -1;
    }
    const button = this._buttons?.get(id);
    if (!button) return;
    if (focus) button.focus({ preventScroll: true });
    if (scroll || focus) button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  _zoomBy(by) {
    const at = ZOOMS.indexOf(this._zoom);
    this._zoom = by === 0 ? FIT : ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at + by))];
    this._sheet.style.setProperty("width", `${this._zoom}%`);
  }

  _showLegend(page) {
    const counts = new Map(SOURCES.map((source) => [source, page.blocks.filter((block) => sourceOf(block) === source).length]));
    const doubtful = page.blocks.filter((block) => doubtsOf(block).length > 0).length;
    const entry = (look, text, count) => el("li", {}, el("span", { class: `swatch ${look}`, "aria-hidden": "true" }, look === "is-doubtful" ? "!" : ""), `${text}: ${count}`);
    this._legend.replaceChildren(
      el("summary", { data: { text: "legend.title" } }),
      el("ul", {}, ...[...counts].map(([source, count]) => entry(`source-${source}`, t(`source.${source}`), count)), entry("is-doubtful", t("legend.doubt"), doubtful)));
  }
}
