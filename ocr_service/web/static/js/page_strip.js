// The pages that are there, as buttons in a row: one tab stop, arrows move.

import { el } from "./dom.js";
import { t } from "./i18n.js";

export class PageStrip {
  constructor(open) {
    this._open = open;
    this._pages = new Map();
    this._current = null;
    this._list = el("div", { class: "strip-pages", role: "group" });
    this._back = this._arrow("‹", "doc.previous", -1);
    this._forth = this._arrow("›", "doc.next", 1);
    this.root = el("nav", { class: "strip", data: { label: "doc.pages" } }, this._back, this._list, this._forth);
    this.root.hidden = true;
  }

  _arrow(sign, label, by) {
    const go = () => {
      const next = this.neighbour(by);
      if (next !== null) this._open(next);
    };
    return el("button", { type: "button", class: "quiet", data: { label }, on: { click: go } }, sign);
  }

  get first() {
    return this._numbers()[0] ?? null;
  }

  get count() {
    return this._pages.size;
  }

  has(number) {
    return this._pages.has(number);
  }

  _numbers() {
    return [...this._pages.keys()].sort((a, b) => a - b);
  }

  /** The pages after this one. */
  after(number) {
    return this._numbers().filter((other) => other > number);
  }

  /** The page before or after the current one, null at either end. */
  neighbour(by) {
    const numbers = this._numbers();
    return numbers[numbers.indexOf(this._current) + by] ?? null;
  }

  /** A page that is done; pages come in any order. */
  add(number, { failed, doubtful = false }) {
    const button = this._pages.get(number)?.button ?? this._insert(number);
    this._pages.set(number, { button, failed, doubtful });
    this._name(number);
    this.root.hidden = this._pages.size < 2;
    this._showArrows();
  }

  /** All pages there are. */
  complete(numbers, failed) {
    for (const number of numbers) this.add(number, { failed: failed.includes(number), doubtful: this._pages.get(number)?.doubtful });
  }

  show(number) {
    this._current = number;
    for (const [other, { button }] of this._pages) {
      const isIt = other === number;
      button.tabIndex = isIt ? 0 : -1;
      if (isIt) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
    const button = this._pages.get(number)?.button;
    if (this._list.contains(document.activeElement)) button?.focus();
    if (button) this._list.scrollLeft = button.offsetLeft - this._list.clientWidth / 2;
    this._showArrows();
  }

  retranslate() {
    this._list.setAttribute("aria-label", t("doc.pages"));
    for (const number of this._pages.keys()) this._name(number);
  }

  _insert(number) {
    const button = el("button", { type: "button", class: "page-button", tabindex: -1, on: { click: () => this._open(number) } }, String(number));
    const next = this.after(number)[0];
    this._list.insertBefore(button, next === undefined ? null : this._pages.get(next).button);
    return button;
  }

  _name(number) {
    const { button, failed, doubtful } = this._pages.get(number);
    const name = t(failed ? "doc.page.failed" : "doc.page", { n: number });
    button.setAttribute("aria-label", doubtful ? `${name}, ${t("legend.doubt").toLowerCase()}` : name);
    button.title = button.getAttribute("aria-label");
    button.classList.toggle("is-failed", failed);
    button.classList.toggle("is-doubtful", doubtful);
  }

  _showArrows() {
    this._back.disabled = this.neighbour(-1) === null || this._current === null;
    this._forth.disabled = this.neighbour(1) === null || this._current === null;
  }
}
