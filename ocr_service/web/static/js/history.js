// The documents that were sent from this browser: ids, names and times, nothing of their content.

import { remember, remembered } from "./storage.js";

const MOST = 200;

/** Newest first: [{id, name, at, expires?}]. */
export function entries() {
  try {
    const found = JSON.parse(remembered("history") ?? "[]");
    return Array.isArray(found) ? found.filter((entry) => typeof entry?.id === "string" && typeof entry?.name === "string") : [];
  } catch {
    return [];
  }
}

export function add(id, name) {
  const others = entries().filter((entry) => entry.id !== id);
  remember("history", JSON.stringify([{ id, name, at: new Date().toISOString() }, ...others].slice(0, MOST)));
}

/** Until when the service keeps the document; by then it is gone for a reason that can be told. */
export function noteExpiry(id, expires) {
  const known = entries();
  const entry = known.find((other) => other.id === id);
  if (!entry || !expires || entry.expires === expires) return;
  entry.expires = expires;
  remember("history", JSON.stringify(known));
}

/** When the document expired, if it has. */
export function expiredAt(id) {
  const expires = entries().find((entry) => entry.id === id)?.expires;
  return expires && Date.parse(expires) <= Date.now() ? expires : null;
}

export function forget(id) {
  remember("history", JSON.stringify(entries().filter((entry) => entry.id !== id)));
}

export function nameOf(id) {
  return entries().find((entry) => entry.id === id)?.name;
}
