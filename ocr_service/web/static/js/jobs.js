// Jobs of the service: what it has accepted is read whether this page is open or not.

import { authorization, Problem, problemOf, request } from "./api.js";
import { eventsOf } from "./event_stream.js";
import { mayPass, pause, patiently } from "./patience.js";

const TERMINAL = new Set(["complete", "partial", "failed", "cancelled"]);

export const isOver = (job) => TERMINAL.has(job.state);
export const hasResult = (job) => job.state === "complete" || job.state === "partial";

const path = (id) => `ocr/jobs/${encodeURIComponent(id)}`;

/** For `Idempotency-Key`: what is sent twice under one key, because an answer was lost on its way, is one job. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The job that was made of the file. XMLHttpRequest, because fetch does not say how much of a body has been sent. Raises Problem. */
export async function submit(file, fields, key, { onSent, signal }) {
  await readable(file);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file, file.name);
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", "ocr/jobs");
    for (const [name, value] of Object.entries({ ...authorization(), "Idempotency-Key": key })) sending.setRequestHeader(name, value);
    sending.upload.addEventListener("progress", (event) => onSent(event.loaded / event.total));
    sending.addEventListener("load", () => {
      const job = sending.status === 202 ? parsed(sending.responseText) : null;
      if (job) resolve(job);
      else reject(problemOf(sending.status, sending.responseText, sending.getResponseHeader("retry-after")));
    });
    sending.addEventListener("error", () => reject(new Problem("network", "")));
    sending.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    signal.addEventListener("abort", () => sending.abort(), { once: true });
    if (signal.aborted) reject(new DOMException("", "AbortError"));
    else sending.send(form);
  });
}

/** A folder, or a file that was moved since it was chosen, cannot be told from a broken connection once it is being sent. */
async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Problem("file_unreadable", "");
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Raises Problem. */
export async function get(id, signal) {
  return (await request(path(id), { signal })).json();
}

/** The job, stopped; one that is over is answered as it is. Raises Problem. */
export async function cancel(id) {
  return (await request(path(id), { method: "DELETE" })).json();
}

/** Every page that is done, and the job whenever it has changed, until it is over. Takes the stream up again where it broke off, for as
 * long as it takes the service to come back. Raises Problem for what waiting does not mend.
 */
export async function follow(id, { onPage, onJob, signal }) {
  let last = "0";
  let breaks = 0;
  for (;;) {
    const response = await patiently(() => request(`${path(id)}/events`, { headers: { "Last-Event-ID": last }, signal }), signal);
    try {
      for await (const { event, id: number, data } of eventsOf(response)) {
        breaks = 0;
        if (event === "page") {
          last = number;
          onPage(JSON.parse(data));
        } else if (event === "job") {
          const job = JSON.parse(data);
          onJob(job);
          if (isOver(job)) return;
        }
      }
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
    }
    await pause(breaks++, signal);
  }
}
