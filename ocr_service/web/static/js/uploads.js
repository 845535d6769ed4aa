// Files on their way to the service: a few at a time, again where the service is busy.

import { Problem } from "./api.js";
import { add } from "./history.js";
import { newKey, submit } from "./jobs.js";

const AT_ONCE = 2;
const LONGEST_WAIT_S = 120;

/** `state`: waiting | sending | busy | refused. What is accepted is a job and no longer here. Tells of changes by the event `change`. */
export class Uploads extends EventTarget {
  constructor() {
    super();
    this.items = [];
  }

  add(files, fields) {
    const added = files.map((file) => ({ file, name: file.name, fields, key: newKey(), state: "waiting", sent: 0, problem: null, until: 0 }));
    this.items.push(...added);
    this._next();
    this._changed();
  }

  /** Once more, with the options as they are now. */
  retry(item, fields) {
    Object.assign(item, { fields, key: newKey(), state: "waiting", problem: null });
    this._next();
    this._changed();
  }

  dismiss(item) {
    item.abort?.abort();
    clearTimeout(item.timer);
    this.items = this.items.filter((other) => other !== item);
    this._next();
    this._changed();
  }

  _next() {
    const free = AT_ONCE - this.items.filter((item) => item.state === "sending").length;
    for (const item of this.items.filter((other) => other.state === "waiting").slice(0, Math.max(0, free))) this._send(item);
  }

  async _send(item) {
    item.state = "sending";
    item.sent = 0;
    item.abort = new AbortController();
    try {
      const onSent = (share) => {
        item.sent = share;
        this._changed();
      };
      const job = await submit(item.file, item.fields, item.key, { onSent, signal: item.abort.signal });
      add(job.job_id, job.filename ?? item.name);
      this.items = this.items.filter((other) => other !== item);
    } catch (error) {
      if (error.name === "AbortError") return;
      this._failed(item, error instanceof Problem ? error : new Problem("http", String(error)));
    }
    this._next();
    this._changed();
  }

  _failed(item, problem) {
    const isBusy = (problem.status === 503 || problem.status === 429) && problem.retryAfter !== null && problem.retryAfter <= LONGEST_WAIT_S;
    item.state = isBusy ? "busy" : "refused";
    item.problem = problem;
    if (!isBusy) return;
    const seconds = Math.max(1, problem.retryAfter);
    item.until = Date.now() + seconds * 1000;
    item.timer = setTimeout(() => {
      item.state = "waiting";
      this._next();
      this._changed();
    }, seconds * 1000);
  }

  _changed() {
    this.dispatchEvent(new Event("change"));
  }
}
