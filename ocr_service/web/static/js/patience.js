// A service that restarts is away for a moment: what can wait asks again, and the page says that it does.

import { Problem } from "./api.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Whether the same request may succeed later, without anybody doing anything about it. */
export const mayPass = (error) => error instanceof Problem && (error.code === "network" || error.status >= 500 || error.status === 429);

/** Longer with every failure so far; over at once when the network is back or the signal says so. */
export function pause(failures, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const done = (settle) => {
      clearTimeout(timer);
      over.abort();
      settle();
    };
    const timer = setTimeout(() => done(resolve), Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures));
    window.addEventListener("online", () => done(resolve), { signal: over.signal });
    signal.addEventListener("abort", () => done(() => reject(signal.reason)), { signal: over.signal });
  });
}

/** What `action` gives, as soon as it does not fail for a reason that may pass. */
export async function patiently(action, signal) {
  for (let failures = 0; ; failures++) {
    try {
      return await action();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
    }
    await pause(failures, signal);
  }
}
