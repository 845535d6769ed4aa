// How far a job is, in words and as a bar.

import { el, setText } from "./dom.js";
import { date, duration, number, problemText, t } from "./i18n.js";
import { isOver } from "./jobs.js";

export const ICONS = { complete: "✓", partial: "!", failed: "✕", refused: "✕", cancelled: "–", gone: "–", queued: "…", running: "▸", waiting: "…", sending: "↑", busy: "…", away: "…", expired: "–", unknown: "?" };

export function stateText(job) {
  if (job.isStopping && !isOver(job)) return t("state.stopping");
  if (job.state === "expired") return t("state.expired", { at: date(job.expires_at) });
  if (job.state === "queued" && job.queue_position > 0) return t("state.queued.at", { n: job.queue_position });
  if (job.state === "running" && (job.stage === "opening" || job.stage === "finishing")) return t(`stage.${job.stage}`);
  return t(`state.${job.state}`);
}

/** "3 of 12 pages · 1.4 pages/s · 7 seconds left" as a list. */
export function details(job) {
  const parts = [];
  const done = (job.pages_done ?? 0);
  if (job.page_count) parts.push(isOver(job) && done >= job.page_count ? t("pages.all", { n: job.page_count }) : t("pages.done", { done: number(done), n: job.page_count }));
  if (job.pages_failed) parts.push(t("pages.failed", { n: job.pages_failed }));
  if (job.state === "running" && job.pages_per_second > 0) {
    parts.push(job.pages_per_second >= 1
      ? t("pages.rate", { rate: number(job.pages_per_second, 1) })
      : t("pages.rate.slow", { rate: number(1 / job.pages_per_second, 1) }));
  }
  if (job.state === "running" && job.eta_s > 0) parts.push(t("pages.eta", { time: duration(job.eta_s) }));
  if (job.error && job.state !== "cancelled") parts.push(problemText(job.error));
  // A failed one left nothing that could be kept.
  else if (isOver(job) && job.expires_at) parts.push(t("job.kept", { at: date(job.expires_at) }));
  return parts;
}

export class Bar {
  constructor(label) {
    this.root = el("progress", { max: 100, "aria-label": label });
  }

  /** `share` 0–1, null where it is not known how much there is to do. */
  show(share) {
    this.root.hidden = share === undefined;
    if (share === null || share === undefined) this.root.removeAttribute("value");
    else this.root.value = Math.round(share * 100);
  }
}

export function shareOf(job) {
  if (isOver(job) || job.state === "queued") return undefined;
  return job.page_count ? job.pages_done / job.page_count : null;
}

export function badge(state) {
  return el("span", { class: `badge state-${state}`, "aria-hidden": "true" }, ICONS[state] ?? "…");
}

export function showBadge(node, state) {
  node.className = `badge state-${state}`;
  setText(node, ICONS[state] ?? "…");
}
