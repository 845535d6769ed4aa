// HTTP: the key, errors as problems, files. Addresses are relative, so that the page works below any path of a proxy.

import { apiKey } from "./storage.js";

/** An answer that is an error. `code` is the service's (README, "Errors"), or "network", or "http". */
export class Problem extends Error {
  constructor(code, detail, { status = 0, retryAfter = null } = {}) {
    super(detail);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export function authorization() {
  const key = apiKey();
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Raises Problem; an abort passes as it is. */
export async function request(path, { headers = {}, ...options } = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...authorization(), ...headers }, redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tellReachable(false);
    throw new Problem("network", "");
  }
  // What stands before the service answers for it while it is away.
  tellReachable(![502, 503, 504].includes(response.status) || isOurs(response));
  if (response.ok) return response;
  throw problemOf(response.status, await response.text().catch(() => ""), response.headers.get("retry-after"));
}

const isOurs = (response) => (response.headers.get("content-type") ?? "").startsWith("application/problem+json");

/** Whoever shows it listens for `reachable` on the document. */
function tellReachable(detail) {
  document.dispatchEvent(new CustomEvent("reachable", { detail }));
}

/** The problem in an answer's body, whatever that body is. */
export function problemOf(status, text, retryAfter) {
  let body = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // Not ours, perhaps a proxy's page: the status says enough.
  }
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  if (status === 401) document.dispatchEvent(new CustomEvent("key-needed"));
  return new Problem(String(body.code ?? "http"), String(body.detail ?? `HTTP ${status}`), {
    status,
    retryAfter: Number.isFinite(seconds) ? seconds : null,
  });
}

export const filePath = (id, name) => `ocr/documents/${encodeURIComponent(id)}/files/${name.split("/").map(encodeURIComponent).join("/")}`;

/** A file of a document as an object URL, to be revoked; so the key can go in a header and not in the address. */
export async function fileUrl(id, name, signal) {
  const response = await request(filePath(id, name), { signal });
  return URL.createObjectURL(await response.blob());
}
