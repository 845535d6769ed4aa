// Sending files, and the documents of this browser.

import { Problem } from "./api.js";
import { confirmDeletion } from "./dialogs.js";
import { announce, el } from "./dom.js";
import { entries, forget } from "./history.js";
import { t, translate } from "./i18n.js";
import { JobRow, UploadRow } from "./rows.js";
import { get, isOver, remove } from "./jobs.js";
import { OptionsForm } from "./options_form.js";
import { stateText } from "./progress.js";

const POLL_MS = 1000;
const POLL_HIDDEN_MS = 5000;
const ACCEPT = ".pdf,.png,.jpg,.jpeg,.webp,.tif,.tiff,application/pdf,image/png,image/jpeg,image/webp,image/tiff";

export class HomeView {
  title = "";

  constructor(uploads) {
    this._uploads = uploads;
    this._jobs = new Map();
    this._rows = new Map();
    this._stopped = new AbortController();
    this._options = new OptionsForm();
    this._list = el("ul", { class: "jobs" });
    this._empty = el("p", { class: "muted", data: { text: "jobs.empty" } });
    this.root = el("div", { class: "home" },
      el("h1", { data: { text: "home.title" } }),
      el("p", { class: "lead", data: { text: "home.lead" } }),
      this._dropZone(),
      this._options.root,
      el("section", { "aria-labelledby": "jobs-title" }, el("h2", { id: "jobs-title", data: { text: "jobs.title" } }), this._empty, this._list));
  }

  start() {
    const { signal } = this._stopped;
    this._uploads.addEventListener("change", () => this._render(), { signal });
    document.addEventListener("key", () => this._forgetProblems(), { signal });
    this._options.start(signal);
    this.retranslate();
    this._poll();
  }

  stop() {
    this._stopped.abort();
  }

  retranslate() {
    translate(this.root);
    this._options.nameLanguages();
    this._rows.clear();
    this._list.replaceChildren();
    this._render();
  }

  _dropZone() {
    const input = el("input", { type: "file", id: "files", class: "sr", multiple: true, accept: ACCEPT });
    const zone = el("div", { class: "drop card" },
      el("p", { class: "drop-title", data: { text: "drop.title" } }),
      el("p", { class: "muted" }, el("span", { data: { text: "drop.or" } })),
      input,
      el("label", { for: "files", class: "button primary", data: { text: "drop.choose" } }),
      el("p", { class: "muted small", data: { text: "drop.kinds" } }));
    input.addEventListener("change", () => {
      this._send(input.files);
      input.value = "";
    });
    const over = (isOver) => zone.classList.toggle("is-over", isOver);
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    zone.addEventListener("dragleave", () => over(false));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      this._send(event.dataTransfer.files);
    });
    return zone;
  }

  _send(files) {
    if (files.length) this._uploads.add([...files], this._options.fields());
  }

  /** Rows in their order; one that is there already is only brought up to date, so that the focus stays where it is. */
  _render() {
    const wanted = [
      ...this._uploads.items.map((item) => this._row(item, () => this._uploadRow(item), item)),
      ...entries().map((entry) => this._row(entry.id, () => this._jobRow(entry), this._jobs.get(entry.id))),
    ];
    for (const [index, row] of wanted.entries()) {
      if (this._list.children[index] !== row.root) this._list.insertBefore(row.root, this._list.children[index] ?? null);
    }
    while (this._list.children.length > wanted.length) this._list.lastChild.remove();
    this._empty.hidden = wanted.length > 0;
  }

  _row(key, make, news) {
    if (!this._rows.has(key)) this._rows.set(key, make());
    const row = this._rows.get(key);
    row.show(news);
    return row;
  }

  _uploadRow(item) {
    const retry = () => {
      if (item.problem?.code === "password_required" && !this._options.fields().password) {
        this._options.reveal();
        document.getElementById("option-password").focus();
        return;
      }
      this._uploads.retry(item, this._options.fields());
    };
    return new UploadRow(item, { retry, dismiss: () => this._uploads.dismiss(item) });
  }

  _jobRow(entry) {
    return new JobRow(entry, { cancel: () => this._cancel(entry), remove: () => this._remove(entry) });
  }

  async _cancel(entry) {
    try {
      const job = await remove(entry.id);
      if (job) this._news(entry, job);
    } catch (error) {
      this._news(entry, stateOf(error));
    }
  }

  async _remove(entry) {
    const job = this._jobs.get(entry.id);
    if (job?.state !== "gone") {
      if (!(await confirmDeletion(entry.name))) return;
      try {
        await remove(entry.id);
      } catch (error) {
        if (error.status !== 404 && error.status !== 410) {
          this._news(entry, stateOf(error));
          return;
        }
      }
    }
    forget(entry.id);
    this._rows.delete(entry.id);
    this._render();
    document.getElementById("main").focus();
  }

  _news(entry, job) {
    const before = this._jobs.get(entry.id);
    this._jobs.set(entry.id, job);
    if (before && before.state !== job.state && job.state !== "unknown") announce(`${entry.name}: ${stateText(job)}`);
    this._render();
  }

  _forgetProblems() {
    for (const [id, job] of this._jobs) if (job.state === "unknown") this._jobs.delete(id);
  }

  /** Asks about what is not over yet, one after the other: a stream for each would use up the browser's few connections. */
  async _poll() {
    const { signal } = this._stopped;
    while (!signal.aborted) {
      for (const entry of entries()) {
        const known = this._jobs.get(entry.id);
        if (known && (isOver(known) || known.state === "gone" || known.isDenied)) continue;
        try {
          this._news(entry, await get(entry.id, signal));
        } catch (error) {
          if (signal.aborted) return;
          this._news(entry, stateOf(error));
        }
      }
      await new Promise((resolve) => setTimeout(resolve, document.hidden ? POLL_HIDDEN_MS : POLL_MS));
    }
  }
}

function stateOf(error) {
  const problem = error instanceof Problem ? error : new Problem("http", String(error));
  const state = problem.status === 404 || problem.status === 410 ? "gone" : "unknown";
  return { state, error: state === "gone" ? null : problem, isDenied: problem.status === 401 || problem.status === 403 };
}
