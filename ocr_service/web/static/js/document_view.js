// One document: its pages as they finish, the picture with its blocks beside the text.

import { Problem } from "./api.js";
import { BlockDetails } from "./block_details.js";
import { pageNumbers, Pages, summaryOf } from "./documents.js";
import { announce, el, setText } from "./dom.js";
import { doubtsOf } from "./doubts.js";
import { Downloads } from "./downloads.js";
import { expiredAt, nameOf, noteExpiry } from "./history.js";
import { date, number, problemText, t, translate } from "./i18n.js";
import { cancel, follow, get, hasResult, isOver } from "./jobs.js";
import { PagePicture } from "./page_picture.js";
import { PageStrip } from "./page_strip.js";
import { PageText } from "./page_text.js";
import { patiently } from "./patience.js";
import { Bar, badge, details, shareOf, showBadge, stateText } from "./progress.js";
import { remember } from "./storage.js";

const ANNOUNCE_MS = 4000;
const OPEN_MS = 150;

export class DocumentView {
  constructor(id, page) {
    this.id = id;
    this.title = nameOf(id) ?? "";
    this._wanted = page;
    this._page = null;
    this._selected = null;
    this._summary = null;
    this._job = null;
    this._stopped = new AbortController();
    this._following = new AbortController();
    this._turning = new AbortController();
    this._pages = new Pages(id);
    const select = (block, from) => this.select(block, from);
    this._picture = new PagePicture(id, select);
    this._text = new PageText(id, select);
    this._details = new BlockDetails();
    this._downloads = new Downloads(id);
    this._strip = new PageStrip((number) => this._address(number));
    this._build();
  }

  _build() {
    this._name = el("h1", { class: "doc-name" }, this.title);
    this._badge = badge("queued");
    this._state = el("span", { class: "state" }, t("state.loading"));
    this._progress = el("span", { class: "muted" });
    this._bar = new Bar(t("jobs.progress", { name: this.title }));
    this._cancel = el("button", { type: "button", class: "quiet", data: { text: "jobs.cancel" }, hidden: true, on: { click: () => this._cancelJob() } });
    this._message = el("div", { class: "message", hidden: true });
    this._doubts = el("span", { class: "muted", role: "status" });
    this._doubtButton = el("button", { type: "button", class: "quiet", data: { text: "doc.next_doubt" }, on: { click: () => this.nextDoubt() } });
    this._panes = el("div", { class: "panes" },
      el("section", { class: "pane pane-page", data: { label: "doc.pane.page" } }, this._picture.root),
      el("section", { class: "pane pane-text", data: { label: "doc.pane.text" } }, this._text.root, this._details.root));
    this._tools = el("div", { class: "tools" },
      this._switch("doc.panes", "pane-switch", [["page", "doc.pane.page"], ["text", "doc.pane.text"]], "page", (pane) => this._showPane(pane)),
      this._switch("doc.view", "view-switch", [["rendered", "doc.rendered"], ["raw", "doc.raw"]], this._text.mode, (mode) => this._showMode(mode)),
      el("div", { class: "doubts" }, this._doubtButton, this._doubts));
    this.root = el("div", { class: "document", data: { pane: "page" } },
      el("div", { class: "doc-head" },
        el("a", { class: "back", href: "#/", data: { label: "doc.back" } }, "←"),
        el("div", { class: "doc-title" }, this._name, el("p", { class: "doc-state" }, this._badge, this._state, this._progress), this._bar.root),
        el("div", { class: "actions" }, this._cancel, this._downloads.root)),
      el("div", { class: "doc-tools" },
        this._strip.root,
        this._tools),
      this._message,
      this._panes);
  }

  _switch(label, name, choices, chosen, choose) {
    const group = el("div", { class: `switch ${name}`, role: "group", data: { label } });
    for (const [value, text] of choices) {
      group.append(el("button", { type: "button", "aria-pressed": String(value === chosen), data: { text, value }, on: { click: () => choose(value) } }));
    }
    return group;
  }

  start() {
    document.addEventListener("key", () => this._load(), { signal: this._stopped.signal });
    this.retranslate();
    this._load();
  }

  stop() {
    this._stopped.abort();
    this._following.abort();
    this._turning.abort();
    this._picture.stop();
    this._text.stop();
  }

  retranslate() {
    translate(this.root);
    this._strip.retranslate();
    this._downloads.show(this._summary);
    this._showJob();
    if (this._page) this._showPage(this._page);
  }

  // --- where the document stands

  async _load() {
    this._following.abort();
    this._following = new AbortController();
    const { signal } = this._following;
    try {
      this._news(await patiently(() => get(this.id, signal), signal));
      // The pages of one that was cancelled are told as well; those of a whole one are fetched as they are looked at.
      if (!hasResult(this._job)) await follow(this.id, { signal, onPage: (page) => this._arrived(page), onJob: (job) => this._news(job) });
      if (hasResult(this._job)) await this._loadSummary(signal);
    } catch (error) {
      if (signal.aborted) return;
      await this._withoutJob(error, signal);
    }
  }

  /** A document may be older than its job, or was sent by other means: its result is enough. */
  async _withoutJob(error, signal) {
    try {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      await this._loadSummary(signal);
    } catch (second) {
      if (!signal.aborted) this._lost(second);
    }
  }

  _lost(error) {
    const expired = expiredAt(this.id);
    if (error.status !== 404) this._say(problemText(error));
    else this._say(expired ? t("doc.expired", { at: date(expired) }) : t("doc.gone"));
    this._cancel.hidden = true;
    if (error.status !== 404) return;
    showBadge(this._badge, expired ? "expired" : "gone");
    setText(this._state, t(expired ? "doc.expired.short" : "doc.gone.short"));
    setText(this._progress, "");
    this._bar.show(undefined);
  }

  async _loadSummary(signal) {
    this._summary = await patiently(() => summaryOf(this.id, signal), signal);
    this._strip.complete(pageNumbers(this._summary), this._summary.failed_pages);
    this._job ??= { state: this._summary.status, page_count: pageNumbers(this._summary).length, pages_done: 0, pages_failed: this._summary.failed_pages.length };
    this._rename(this._summary.filename);
    this._downloads.show(this._summary);
    this._showJob();
    if (!this._page) this._open(this._wanted ?? this._strip.first);
  }

  _news(job) {
    this._job = this._isStopping ? { ...job, isStopping: true } : job;
    noteExpiry(this.id, job.expires_at);
    this._showJob();
  }

  _arrived(page) {
    this._pages.put(page);
    this._strip.add(page.page, { failed: page.status === "failed", doubtful: (page.blocks ?? []).some((block) => doubtsOf(block).length > 0) });
    if (!this._page && this._wanted === null) this._openSoon();
    if (!this._page && this._wanted === page.page) this._open(page.page);
    this._announceLater();
  }

  /** The lowest of the pages that come in a burst, as after a reload. */
  _openSoon() {
    this._opening ??= setTimeout(() => {
      this._opening = null;
      if (!this._stopped.signal.aborted && !this._page) this._open(this._wanted ?? this._strip.first);
    }, OPEN_MS);
  }

  _announceLater() {
    this._announcing ??= setTimeout(() => {
      this._announcing = null;
      if (!this._stopped.signal.aborted) announce(t("doc.arrived", { n: this._strip.count }));
    }, ANNOUNCE_MS);
  }

  _rename(name) {
    if (!name || name === this.title) return;
    this.title = name;
    setText(this._name, name);
    document.dispatchEvent(new CustomEvent("title"));
  }

  _showJob() {
    const job = this._job;
    if (!job) return;
    this._rename(job.filename);
    showBadge(this._badge, job.state);
    if (this._told && this._told !== job.state) announce(stateText(job));
    this._told = job.state;
    setText(this._state, stateText(job));
    setText(this._progress, [...details(job), ...(this._summary?.warnings ?? [])].join(" · "));
    this._bar.show(shareOf(job));
    this._cancel.hidden = isOver(job) || Boolean(job.isStopping);
    if (!this._page) this._say(this._untilAPage(job));
  }

  /** What is said as long as no page is there to be shown. */
  _untilAPage(job) {
    if (job.error) return problemText(job.error);
    if (hasResult(job)) return "";
    if (isOver(job)) return t("doc.nothing");
    return this._wanted !== null && this._strip.count > 0 ? t("doc.page.pending", { n: this._wanted }) : t("doc.waiting");
  }

  _say(text) {
    this._message.hidden = !text;
    this._panes.hidden = Boolean(text);
    this._tools.hidden = Boolean(text);
    setText(this._message, text);
  }

  async _cancelJob() {
    const hadFocus = document.activeElement === this._cancel;
    this._isStopping = true;
    this._news(this._job);
    if (hadFocus) document.getElementById("main").focus();
    try {
      this._news(await cancel(this.id));
    } catch (error) {
      this._isStopping = false;
      this._news({ ...this._job, isStopping: false });
      setText(this._progress, problemText(error));
    }
  }

  // --- which page

  _address(number) {
    location.hash = `#/d/${encodeURIComponent(this.id)}/${number}`;
  }

  /** The address names this page (null: any). */
  goTo(number) {
    this._wanted = number;
    if (number !== null && this._page?.page !== number) this._open(number);
  }

  /** A page that cannot be had now comes when the service is back, unless another one was asked for meanwhile. */
  async _open(number, select = null) {
    if (!this._strip.has(number)) return;
    this._turning.abort();
    this._turning = new AbortController();
    const { signal } = this._turning;
    try {
      const page = await patiently(() => this._pages.get(number, signal), signal);
      this._showPage(page);
      const address = `#/d/${encodeURIComponent(this.id)}/${number}`;
      if (location.hash !== address) history.replaceState(null, "", address);
      this._wanted = number;
      if (select) this.select(select, "key");
    } catch (error) {
      if (!signal.aborted) this._say(problemText(error));
    }
  }

  _showPage(page) {
    const isSame = this._page?.page === page.page;
    const selected = isSame ? this._selected : null;
    this._page = page;
    this._selected = null;
    this._say("");
    this._strip.show(page.page);
    this._picture.show(page);
    this._text.show(page);
    this._details.show(null);
    const doubtful = page.blocks.filter((block) => doubtsOf(block).length > 0).length;
    this._doubtButton.hidden = doubtful === 0 && this._strip.count < 2;
    if (this._doubtButton.hidden) setText(this._doubts, t("doc.no_doubt_on_page"));
    // On a phone there is room for the number alone.
    else this._doubts.replaceChildren(number(doubtful), el("span", { class: "more" }, ` ${t("doc.on_page")}`));
    if (selected) this.select(selected, "restore");
  }

  turnPage(by) {
    const next = this._strip.neighbour(by);
    if (next !== null) this._address(next);
  }

  // --- which block

  /** `from`: picture | text (clicked there), key, restore. */
  select(id, from) {
    const block = this._page?.blocks.find((candidate) => candidate.id === id);
    if (!block) return;
    const inText = this._text.root.contains(document.activeElement);
    this._selected = id;
    this._picture.select(id, { scroll: from !== "picture", focus: (from === "key" && !inText) || from === "picture" });
    this._text.select(id, { scroll: from !== "text", focus: (from === "key" && inText) || from === "text" });
    this._details.show(block, this._page.blocks.length);
    if (this._isNarrow() && (from === "text" || from === "picture")) this._showPane(from === "text" ? "page" : "text");
  }

  deselect() {
    this._selected = null;
    this._picture.select(null, {});
    this._text.select(null, {});
    this._details.show(null);
  }

  step(by) {
    const blocks = this._page?.blocks ?? [];
    if (!blocks.length) return;
    const at = blocks.findIndex((block) => block.id === this._selected);
    const next = at < 0 ? (by > 0 ? 0 : blocks.length - 1) : at + by;
    if (blocks[next]) this.select(blocks[next].id, "key");
  }

  /** The next block in doubt, on this page or a later one that is there. */
  async nextDoubt() {
    if (!this._page) return;
    const { signal } = this._stopped;
    const after = this._page.blocks.findIndex((block) => block.id === this._selected);
    const here = this._page.blocks.slice(after + 1).find((block) => doubtsOf(block).length > 0);
    if (here) {
      this.select(here.id, "key");
      return;
    }
    for (const number of this._strip.after(this._page.page)) {
      const page = await this._pages.get(number, signal).catch(() => null);
      const found = page?.blocks.find((block) => doubtsOf(block).length > 0);
      if (found) {
        await this._open(number, found.id);
        return;
      }
    }
    setText(this._doubts, t("doc.no_doubt"));
  }

  toggleRaw() {
    this._showMode(this._text.mode === "raw" ? "rendered" : "raw");
  }

  /** Arrow keys belong to what has the focus, where that scrolls by them. */
  takesArrows(target) {
    return target === document.body || target.id === "main" || target.closest(".sheet, .strip, .block-mark") !== null;
  }

  _isNarrow() {
    return getComputedStyle(this._panes).getPropertyValue("--narrow").trim() === "1";
  }

  _showPane(pane) {
    this.root.dataset.pane = pane;
    this._press("pane-switch", pane);
    const shown = (pane === "text" ? this._text : this._picture).root;
    if (this._selected) shown.querySelector(".is-selected")?.scrollIntoView({ block: "center" });
  }

  _showMode(mode) {
    remember("view", mode);
    this._text.setMode(mode);
    this._press("view-switch", mode);
  }

  _press(name, value) {
    for (const button of this.root.querySelectorAll(`.${name} button`)) button.setAttribute("aria-pressed", String(button.dataset.value === value));
  }
}
