// Server-sent events read with fetch: EventSource cannot send a key.

import { Problem } from "./api.js";

// The service says something every 15 seconds. A connection that is silent for longer is dead, whatever the browser believes of it.
const LONGEST_SILENCE_MS = 45_000;

/** The events of a body: {event, id, data}. Comments keep the connection alive and say nothing. A broken connection raises Problem "network". */
export async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await next(reader);
      if (done) return;
      const pieces = (rest + value).split(/\r\n\r\n|\n\n|\r\r/);
      rest = pieces.pop();
      for (const piece of pieces) {
        const event = parse(piece);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function next(reader) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("silence")), LONGEST_SILENCE_MS);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("network", "");
  } finally {
    clearTimeout(timer);
  }
}

function parse(piece) {
  const event = { event: "message", id: null, data: [] };
  for (const line of piece.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event.event = value;
    else if (field === "id") event.id = value;
    else if (field === "data") event.data.push(value);
  }
  return event.data.length ? { ...event, data: event.data.join("\n") } : null;
}
