// Sending files, and the documents of this browser.

import { Problem } from "./api.js";
import { confirmDeletion } from "./dialogs.js";
import { announce, el } from "./dom.js";
import { entries, expiredAt, forget, noteExpiry } from "./history.js";
import { translate } from "./i18n.js";
import { JobRow, UploadRow } from "./rows.js";
import { cancel, get, isOver } from "./jobs.js";
import { OptionsForm } from "./options_form.js";
import { mayPass, pause } from "./patience.js";
import { stateText } from "./progress.js";
import { onRemembered } from "./storage.js";

const POLL_MS = 1000;
const POLL_HIDDEN_MS = 5000;
const GONE = new Set(["gone", "expired"]);
const ACCEPT = ".pdf,.png,.jpg,.jpeg,.webp,.tif,.tiff,application/pdf,image/png,image/jpeg,image/webp,image/tiff";

export class HomeView {
  title = "";

  constructor(uploads) {
    this._uploads = uploads;
    this._jobs = new Map();
    this._rows = new Map();
    this._stopping = new Set();
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
    onRemembered("history", () => this._render(), signal);
    this._catchDrops(signal);
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
    this._zone = el("div", { class: "drop card" },
      el("p", { class: "drop-title", data: { text: "drop.title" } }),
      el("p", { class: "muted drop-or", data: { text: "drop.or" } }),
      input,
      el("label", { for: "files", class: "button primary", data: { text: "drop.choose" } }),
      el("p", { class: "muted small", data: { text: "drop.kinds" } }));
    input.addEventListener("change", () => {
      this._send(input.files);
      input.value = "";
    });
    return this._zone;
  }

  /** Anywhere on the page: nobody should have to aim. */
  _catchDrops(signal) {
    const over = (isOver) => this._zone.classList.toggle("is-over", isOver);
    window.addEventListener("dragover", (event) => over(event.dataTransfer?.types.includes("Files") ?? false), { signal });
    window.addEventListener("dragleave", (event) => event.relatedTarget === null && over(false), { signal });
    window.addEventListener("drop", (event) => {
      over(false);
      this._send(event.dataTransfer.files);
    }, { signal });
  }

  _send(files) {
    if (files.length) this._uploads.add([...files], this._options.fields());
  }

  /** Rows in their order; one that is there already is only brought up to date, so that the focus stays where it is. */
  _render() {
    const wanted = [
      ...this._uploads.items.map((item) => this._row(item, () => this._uploadRow(item), item)),
      ...entries().map((entry) => this._row(entry.id, () => this._jobRow(entry), this._jobs.get(entry.id) ?? this._uploads.acceptedJob(entry.id))),
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
    const retry = () => this._uploads.retry(item, this._options.fields());
    return new UploadRow(item, { retry, dismiss: () => this._uploads.dismiss(item) });
  }

  _jobRow(entry) {
    return new JobRow(entry, {
      cancel: () => this._cancel(entry),
      remove: () => this._remove(entry),
      retry: () => this._retry(entry),
      canRetry: () => this._uploads.fileOf(entry.id) !== undefined,
    });
  }

  async _cancel(entry) {
    const known = this._jobs.get(entry.id) ?? this._uploads.acceptedJob(entry.id);
    this._stopping.add(entry.id);
    this._news(entry, known);
    try {
      this._news(entry, await cancel(entry.id));
    } catch (error) {
      this._stopping.delete(entry.id);
      this._news(entry, mayPass(error) ? { ...known, error } : stateOf(error, entry.id));
    }
  }

  async _remove(entry) {
    if (!GONE.has(this._jobs.get(entry.id)?.state) && !(await confirmDeletion(entry.name))) return;
    this._forget(entry);
    document.getElementById("main").focus();
  }

  _forget(entry) {
    forget(entry.id);
    this._rows.delete(entry.id);
    this._render();
  }

  /** A job that failed, from its file and with the options as they are now. */
  _retry(entry) {
    const fields = this._options.fields();
    if (this._jobs.get(entry.id)?.error?.code === "password_required" && !fields.password) {
      this._options.reveal();
      document.getElementById("option-password").focus();
      return;
    }
    const file = this._uploads.fileOf(entry.id);
    this._forget(entry);
    this._uploads.add([file], fields);
  }

  _news(entry, job) {
    const before = this._jobs.get(entry.id);
    this._jobs.set(entry.id, this._stopping.has(entry.id) ? { ...job, isStopping: true } : job);
    if (before && before.state !== job.state && job.state !== "unknown") announce(`${entry.name}: ${stateText(job)}`);
    noteExpiry(entry.id, job.expires_at);
    this._render();
  }

  /** With another key, what is not there may be there. */
  _forgetProblems() {
    for (const [id, job] of this._jobs) if (job.state === "unknown" || GONE.has(job.state)) this._jobs.delete(id);
  }

  /** Asks about what is not over yet, one after the other: a stream for each would use up the browser's few connections. */
  async _poll() {
    const { signal } = this._stopped;
    for (let failures = 0; !signal.aborted; ) {
      try {
        for (const entry of entries()) if (!this._isSettled(entry)) await this._ask(entry, signal);
        failures = 0;
        await new Promise((resolve) => setTimeout(resolve, document.hidden ? POLL_HIDDEN_MS : POLL_MS));
      } catch (error) {
        if (signal.aborted) return;
        if (!mayPass(error)) throw error;
        // Away: what is known stays as it is, and the others are not asked about either.
        await pause(failures++, signal).catch(() => undefined);
      }
      if (!signal.aborted) this._render();
    }
  }

  _isSettled(entry) {
    const known = this._jobs.get(entry.id);
    return known !== undefined && (isOver(known) || GONE.has(known.state) || known.isDenied);
  }

  /** Raises what may pass. */
  async _ask(entry, signal) {
    try {
      this._news(entry, await get(entry.id, signal));
    } catch (error) {
      if (signal.aborted || mayPass(error)) throw error;
      this._news(entry, stateOf(error, entry.id));
    }
  }
}

function stateOf(error, id) {
  const problem = error instanceof Problem ? error : new Problem("http", String(error));
  const expired = expiredAt(id);
  const isGone = problem.status === 404 || problem.status === 410;
  if (isGone) return expired ? { state: "expired", expires_at: expired } : { state: "gone" };
  return { state: "unknown", error: problem, isDenied: problem.status === 401 || problem.status === 403 };
}
