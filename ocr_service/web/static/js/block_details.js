// What is known of the block that is selected.

import { el } from "./dom.js";
import { doubtsOf, sourceOf, weakLinesOf } from "./doubts.js";
import { number, reasonText, t } from "./i18n.js";

const percent = (share) => `${number(share * 100)} %`;

export class BlockDetails {
  constructor() {
    this.root = el("aside", { class: "block-details", tabindex: 0, hidden: true });
  }

  /** null: none is. */
  show(block) {
    this.root.hidden = block === null;
    if (block === null) {
      this.root.replaceChildren();
      return;
    }
    const title = `${t("block.title", { n: block.order + 1 })} · ${t(`label.${block.label}`)}`;
    this.root.setAttribute("aria-label", title);
    this.root.replaceChildren(
      el("h2", {}, title),
      el("dl", {}, ...facts(block).flatMap(([name, value, look]) => [el("dt", {}, t(name)), el("dd", { class: look }, value)])));
  }
}

function facts(block) {
  const doubts = doubtsOf(block).map((doubt) => t(`doubt.${doubt}`));
  const found = [["block.source", t(`source.${sourceOf(block)}`)]];
  if (block.confidence !== null) found.push(["block.confidence", percent(block.confidence)]);
  if (doubts.length) found.push(["block.doubts", `! ${doubts.join(", ")}`, "doubt"]);
  for (const line of weakLinesOf(block)) found.push(["block.weak_line", `${line.text} – ${percent(line.confidence)}`, "answer"]);
  const { refinement } = block;
  if (refinement && refinement.status !== "not_needed") {
    const reason = refinement.reason ? ` – ${reasonText(refinement.reason)}` : "";
    found.push(["block.refinement", t(`refinement.${refinement.status}`) + reason]);
    if (refinement.agreement !== null) found.push(["block.agreement", percent(refinement.agreement)]);
    if (refinement.status === "rejected" && refinement.answer) found.push(["block.answer", refinement.answer, "answer"]);
  }
  return found;
}
