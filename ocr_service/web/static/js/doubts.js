// Which blocks a person should look at, and why.

// As domain/questions.py: of the lines below it one in seven is misread, of those above it one in fifty.
const WEAK_CONFIDENCE = 0.9;
const WARNINGS = ["digits_differ", "words_differ", "letters_differ"];

export const SOURCES = ["text_layer", "ocr", "table_model", "vlm"];
export const DOUBTS = ["low_confidence", "rejected", ...WARNINGS];

const isWeak = (confidence) => confidence !== null && confidence < WEAK_CONFIDENCE;

/** Lines that were read with little confidence: in a large table they do not tell in the whole. */
export function weakLinesOf(block) {
  // What two answers of the VLM agreed on is judged by its warnings; the confidence is that of the OCR before it.
  return block.source === "vlm" ? [] : (block.lines ?? []).filter((line) => isWeak(line.confidence));
}

/** Names of `DOUBTS`. */
export function doubtsOf(block) {
  const found = [];
  if ((block.source !== "vlm" && isWeak(block.confidence)) || weakLinesOf(block).length) found.push("low_confidence");
  if (block.refinement?.status === "rejected") found.push("rejected");
  return [...found, ...WARNINGS.filter((warning) => block.warnings?.includes(warning))];
}

/** Whether nothing but some of its lines is in doubt: then they are marked and not the whole. */
export const isDoubtfulInLinesOnly = (block) => !isWeak(block.confidence) && String(doubtsOf(block)) === "low_confidence";

/** `source` of a block as one of `SOURCES`. */
export const sourceOf = (block) => (SOURCES.includes(block.source) ? block.source : "ocr");

/** Its first words, for names. */
export function excerptOf(block, length = 80) {
  const text = block.table ? block.table.cells.map((cell) => cell.text).join(" ") : block.format === "image" ? "" : block.content;
  const words = text.replace(/\s+/g, " ").trim();
  return words.length > length ? `${words.slice(0, length).trimEnd()}…` : words;
}
