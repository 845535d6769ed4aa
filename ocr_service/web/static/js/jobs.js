// Jobs over `POST /ocr/pdf` as a stream: they live as long as this page. Nothing else of the page knows how jobs are made.

import { Problem, request } from "./api.js";
import { pageNumbers, summaryOf } from "./documents.js";

const TERMINAL = new Set(["complete", "partial", "failed", "cancelled"]);
const records = new Map();

export const isOver = (job) => TERMINAL.has(job.state);
export const hasResult = (job) => job.state === "complete" || job.state === "partial";
export const newKey = () => null;

/** Resolves when the first page is done: only then does the service name the document. Raises Problem. */
export async function submit(file, fields, key, { signal }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file, file.name);
  const began = Date.now();
  const abort = new AbortController();
  signal.addEventListener("abort", () => abort.abort());
  const headers = { Accept: "application/x-ndjson" };
  const response = await request("ocr/pdf", { method: "POST", body: form, headers, signal: abort.signal });
  const id = response.headers.get("location").split("/").pop();
  const count = Number.parseInt(response.headers.get("ocr-pages") ?? "", 10) || null;
  const job = { job_id: id, state: "running", stage: "reading", filename: file.name, page_count: count, pages_done: 0, pages_failed: 0, error: null };
  const record = { job, pages: [], abort, changed: new EventTarget(), began };
  records.set(id, record);
  pump(record, response);
  return { ...job };
}

async function pump(record, response) {
  try {
    for await (const line of linesOf(response)) take(record, JSON.parse(line));
    if (!isOver(record.job)) change(record, { state: "failed", error: new Problem("network", "") });
  } catch {
    if (!isOver(record.job)) change(record, record.abort.signal.aborted ? { state: "cancelled" } : { state: "failed", error: new Problem("network", "") });
  }
}

function take(record, line) {
  if (line.summary) {
    const count = pageNumbers(line.summary).length;
    change(record, { state: line.summary.status, page_count: count, pages_done: count });
  } else if (line.error) {
    change(record, { state: "failed", error: line.error });
  } else {
    record.pages.push(line);
    const { length } = record.pages;
    const failed = record.pages.filter((page) => page.status === "failed").length;
    const rate = (length * 1000) / Math.max(1, Date.now() - record.began);
    const left = Math.max(0, (record.job.page_count ?? length) - length);
    change(record, { pages_done: length, pages_failed: failed, pages_per_second: rate, eta_s: left / rate });
  }
}

function change(record, news) {
  Object.assign(record.job, news);
  record.changed.dispatchEvent(new Event("change"));
}

async function* linesOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines.filter(Boolean);
  }
}

export async function get(id, signal) {
  if (records.has(id)) return { ...records.get(id).job };
  const summary = await summaryOf(id, signal);
  const count = pageNumbers(summary).length;
  return { job_id: id, state: summary.status, filename: summary.filename, page_count: count, pages_done: count, pages_failed: summary.failed_pages.length };
}

/** Whether leaving this page would break off work: the service stops when the connection goes. */
export const isAtRisk = () => [...records.values()].some((record) => !isOver(record.job));

/** Stops what runs; results are the service's to keep. */
export async function remove(id) {
  const record = records.get(id);
  if (!record || isOver(record.job)) return null;
  record.abort.abort();
  change(record, { state: "cancelled" });
  return { ...record.job };
}

export async function follow(id, { onPage, onJob, signal }) {
  const record = records.get(id);
  for (let told = 0; ; ) {
    while (told < record.pages.length) onPage(record.pages[told++]);
    onJob({ ...record.job });
    if (isOver(record.job)) return;
    await new Promise((resolve, reject) => {
      record.changed.addEventListener("change", resolve, { once: true });
      signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")), { once: true });
    });
  }
}
