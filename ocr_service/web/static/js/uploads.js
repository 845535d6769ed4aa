// Files on their way to the service: a few at a time, again where it is busy or away.

import { Problem } from "./api.js";
import { add } from "./history.js";
import { newKey, submit } from "./jobs.js";

const AT_ONCE = 2;
const LONGEST_WAIT_S = 120;
// Together about two minutes and a half: long enough for a restart.
const PAUSES_S = [2, 4, 8, 16, 30, 30, 30, 30];

/** `state`: waiting | sending | busy | away | refused. What was accepted is a job and no longer here. Tells of changes by the event `change`. */
export class Uploads extends EventTarget {
  constructor() {
    super();
    this.items = [];
    this._accepted = new Map();
  }

  add(files, fields) {
    const added = files.map((file) => ({ file, name: file.name, fields, key: newKey(), state: "waiting", sent: 0, breaks: 0, problem: null, until: 0 }));
    this.items.push(...added);
    this._next();
    this._changed();
  }

  /** Once more, with the options as they are now. */
  retry(item, fields) {
    Object.assign(item, { fields, key: newKey(), state: "waiting", breaks: 0, problem: null });
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

  /** Whether leaving this page would lose something. */
  get areAtRisk() {
    return this.items.some((item) => item.state !== "refused");
  }

  /** The job as it was accepted, if that was in this tab. */
  acceptedJob(id) {
    return this._accepted.get(id)?.job;
  }

  /** The file of a job that was sent from this tab: the browser lets it be read again until then. */
  fileOf(id) {
    return this._accepted.get(id)?.file;
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
      this._accepted.set(job.job_id, { job, file: item.file });
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
    item.problem = problem;
    const isBusy = (problem.status === 503 || problem.status === 429) && problem.retryAfter !== null && problem.retryAfter <= LONGEST_WAIT_S;
    const isAway = problem.code === "network" || problem.status === 502 || problem.status === 504;
    if (isBusy) this._wait(item, "busy", Math.max(1, problem.retryAfter));
    else if (isAway && item.breaks < PAUSES_S.length) this._wait(item, "away", PAUSES_S[item.breaks++]);
    else item.state = "refused";
  }

  /** The key stays: should the service have the file already, it is the same job. */
  _wait(item, state, seconds) {
    item.state = state;
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
