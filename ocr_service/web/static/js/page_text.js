// The text of a page, block by block, rendered from the page's JSON; or its Markdown as it is.

import { fileUrl } from "./api.js";
import { el } from "./dom.js";
import { doubtsOf, sourceOf } from "./doubts.js";
import { appendLines, setFormula, setMixed } from "./formulas.js";
import { t } from "./i18n.js";
import { doubtWords, failureOf } from "./page_picture.js";
import { remembered } from "./storage.js";

const RUNNING = new Set(["header", "footer", "number"]);
// Figures keep together: "140 250,00" is one number.
const FIGURES = /^[\d\s.,:%+−–-]{1,24}$/;

export class PageText {
  constructor(id, select) {
    this._id = id;
    this._select = select;
    this._urls = [];
    this._loading = new AbortController();
    this.mode = remembered("view") === "raw" ? "raw" : "rendered";
    this._rendered = el("div", { class: "rendered" });
    this._raw = el("pre", { class: "raw", tabindex: 0 });
    this.root = el("div", { class: "text-scroll" }, this._rendered, this._raw);
    this.setMode(this.mode);
  }

  stop() {
    this._loading.abort();
    for (const url of this._urls) URL.revokeObjectURL(url);
    this._urls = [];
  }

  setMode(mode) {
    this.mode = mode;
    this._rendered.hidden = mode === "raw";
    this._raw.hidden = mode !== "raw";
  }

  show(page) {
    this.stop();
    this._loading = new AbortController();
    this._raw.textContent = page.markdown;
    this._raw.setAttribute("aria-label", t("doc.raw"));
    this.root.scrollTop = 0;
    this._blocks = new Map();
    const content = page.blocks.map((block, index) => this._wrapped(block, index));
    this._rendered.replaceChildren(...notes(page), ...grouped(page.blocks, content));
  }

  select(id, { scroll = false, focus = false }) {
    for (const [other, { wrapper, mark }] of this._blocks ?? []) {
      const isIt = other === id;
      wrapper.classList.toggle("is-selected", isIt);
      if (isIt) mark.setAttribute("aria-current", "true");
      else mark.removeAttribute("aria-current");
      if (id !== null) mark.tabIndex = isIt ? 0 : -1;
    }
    const chosen = this._blocks?.get(id);
    if (!chosen) return;
    if (focus) chosen.mark.focus({ preventScroll: true });
    if (scroll || focus) chosen.wrapper.scrollIntoView({ block: "nearest" });
  }

  _wrapped(block, index) {
    const source = sourceOf(block);
    const isDoubtful = doubtsOf(block).length > 0;
    const values = { n: index + 1, label: t(`label.${block.label}`), source: t(`source.${source}`), doubts: doubtWords(block) };
    const mark = el("button", {
      type: "button", class: `block-mark source-${source}${isDoubtful ? " is-doubtful" : ""}`, tabindex: index === 0 ? 0 : -1,
      "aria-label": t("block.show", values), title: t("block.show", values), on: { click: () => this._select(block.id, "text") },
    }, isDoubtful ? `${index + 1}!` : String(index + 1));
    const wrapper = el("div", {
      class: `block label-${block.label}${RUNNING.has(block.label) ? " is-running" : ""}`, data: { block: block.id },
      role: block.label === "list_item" ? "listitem" : null,
      on: { click: (event) => this._clicked(event, block) },
    }, mark, el("div", { class: "block-content" }, this._content(block)));
    this._blocks.set(block.id, { wrapper, mark });
    return wrapper;
  }

  /** A click anywhere on the block is meant for it, unless text was being selected. */
  _clicked(event, block) {
    if (event.target.closest("button") || String(getSelection()) !== "") return;
    this._select(block.id, "text");
  }

  _content(block) {
    if (block.format === "image") return this._figure(block);
    if (block.table) return tableOf(block);
    const isModels = block.source === "vlm";
    if (block.format === "latex") {
      const formula = el("div", { class: "formula" });
      setFormula(formula, block.content, { display: true });
      return formula;
    }
    if (block.label === "doc_title" || block.label === "paragraph_title") {
      const level = block.level ?? (block.label === "doc_title" ? 1 : 2);
      return withText(el(`h${Math.min(6, level + 1)}`), block.content, isModels);
    }
    const paragraph = el("p");
    if (block.marker) paragraph.append(el("span", { class: "marker" }, block.marker), " ");
    return withText(paragraph, block.content, isModels);
  }

  _figure(block) {
    const image = el("img", { alt: t(`label.${block.label}`), class: "figure" });
    const { signal } = this._loading;
    fileUrl(this._id, `images/${block.content}`, signal).then((url) => {
      this._urls.push(url);
      image.src = url;
    }).catch(() => image.replaceWith(el("p", { class: "muted" }, t(`label.${block.label}`))));
    return image;
  }
}

function withText(node, text, isModels) {
  if (isModels) setMixed(node, text);
  else appendLines(node, text);
  return node;
}

/** From the grid, not from the HTML: no markup of a document is ever parsed here. */
function tableOf(block) {
  const rows = Array.from({ length: block.table.rows }, () => el("tr"));
  for (const cell of block.table.cells) {
    const look = FIGURES.test(cell.text) ? "figures" : null;
    const node = el(cell.is_header ? "th" : "td", { class: look, rowspan: cell.rowspan > 1 ? cell.rowspan : null, colspan: cell.colspan > 1 ? cell.colspan : null });
    rows[cell.row]?.append(withText(node, cell.text, block.source === "vlm"));
  }
  return el("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": t("doc.table") }, el("table", {}, el("tbody", {}, ...rows)));
}

/** What is to be said of the page itself. */
function notes(page) {
  if (page.status === "failed") return [el("div", { class: "message" }, ...failureOf(page))];
  const found = page.warnings.length ? [el("p", { class: "page-warnings" }, `${t("doc.warnings")}: ${page.warnings.join("; ")}`)] : [];
  if (!page.blocks.length) found.push(el("p", { class: "muted" }, t("doc.empty")));
  return found;
}

/** List items that follow each other become one list. */
function grouped(blocks, nodes) {
  const found = [];
  for (const [index, node] of nodes.entries()) {
    const isItem = blocks[index].label === "list_item";
    if (isItem && found.at(-1)?.role === "list") found.at(-1).append(node);
    else found.push(isItem ? el("div", { role: "list", class: "list" }, node) : node);
  }
  return found;
}
