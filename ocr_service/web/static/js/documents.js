// What is stored of a document: its summary, its pages one by one.

import { filePath, request } from "./api.js";

/** The document without its pages, as far as reading goes: they follow the first line of `result.json`. Raises Problem. */
export async function summaryOf(id, signal) {
  const response = await request(`ocr/documents/${encodeURIComponent(id)}`, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return JSON.parse(text);
    text += value;
    const end = text.indexOf("\n");
    const summary = end < 0 ? null : parsed(`${text.slice(0, end).replace(/,"pages":\[$/, "")}}`);
    if (summary) {
      reader.cancel().catch(() => undefined);
      return summary;
    }
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The numbers of the pages that were asked for. */
export function pageNumbers(summary) {
  return summary.options?.pages ?? Array.from({ length: summary.page_count }, (_, index) => index + 1);
}

const MOST_KEPT = 60;

/** Pages by number. The latest are kept, the others fetched again: a document of a thousand pages must not fill the browser. */
export class Pages {
  constructor(id) {
    this._id = id;
    this._kept = new Map();
  }

  put(page) {
    this._kept.delete(page.page);
    this._kept.set(page.page, page);
    if (this._kept.size > MOST_KEPT) this._kept.delete(this._kept.keys().next().value);
  }

  /** Raises Problem. */
  async get(number, signal) {
    if (!this._kept.has(number)) {
      const name = `pages/${String(number).padStart(4, "0")}.json`;
      this.put(await (await request(filePath(this._id, name), { signal })).json());
    }
    return this._kept.get(number);
  }
}
