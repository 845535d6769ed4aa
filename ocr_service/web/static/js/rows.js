// A row for a file on its way, and one for a job.

import { announce, el, setText } from "./dom.js";
import { date, duration, problemText, t } from "./i18n.js";
import { isOver } from "./jobs.js";
import { badge, Bar, details, shareOf, showBadge, stateText } from "./progress.js";

class Row {
  constructor(name, title) {
    this._badge = badge("waiting");
    this._state = el("span", { class: "state" });
    this._details = el("span", { class: "muted" });
    this._bar = new Bar(t("jobs.progress", { name }));
    this._actions = el("div", { class: "actions" });
    this.root = el("li", { class: "job card" },
      this._badge,
      el("div", { class: "job-body" }, title, el("p", { class: "job-state" }, this._state, this._details), this._bar.root),
      this._actions);
  }

  _show(state, text, parts, share) {
    showBadge(this._badge, state);
    setText(this._state, text);
    setText(this._details, parts.join(" · "));
    this._bar.show(share);
  }

  /** Buttons are made anew only where they are others: one that has the focus keeps it. */
  _offer(kind, buttons) {
    if (this._offered === kind) return;
    this._offered = kind;
    const hadFocus = this._actions.contains(document.activeElement);
    this._actions.replaceChildren(...buttons.map(([text, label, action, look]) =>
      el("button", { type: "button", class: look ?? "quiet", "aria-label": label, on: { click: action } }, text)));
    if (hadFocus) this._actions.querySelector("button")?.focus();
  }
}

export class UploadRow extends Row {
  constructor(item, actions) {
    super(item.name, el("p", { class: "job-name" }, el("span", { title: item.name }, item.name)));
    this._item = item;
    this._does = actions;
  }

  show(item) {
    const { name } = item;
    const dismiss = [t("jobs.dismiss"), t("jobs.dismiss.of", { name }), this._does.dismiss];
    const parts = item.state === "refused" ? [problemText(item.problem)] : [];
    const text = t(`state.${item.state}`, { percent: Math.round(item.sent * 100), time: duration(Math.max(1, (item.until - Date.now()) / 1000)) });
    if (item.state === "refused" && this._told !== item.problem) {
      this._told = item.problem;
      announce(`${name}: ${text}. ${parts[0]}`);
    }
    this._show(item.state, text, parts, item.state === "sending" ? item.sent : undefined);
    if (item.state === "refused") this._offer("refused", [[t("jobs.retry"), t("jobs.retry.of", { name }), this._does.retry, "primary"], dismiss]);
    else this._offer("going", [[t("jobs.cancel"), t("jobs.cancel.of", { name }), this._does.dismiss]]);
  }
}

export class JobRow extends Row {
  /** `actions`: cancel, remove, and retry() with canRetry(). */
  constructor(entry, actions) {
    super(entry.name, el("p", { class: "job-name" },
      el("a", { href: `#/d/${encodeURIComponent(entry.id)}`, title: entry.name }, entry.name),
      entry.at && el("time", { class: "muted small", datetime: entry.at }, date(entry.at))));
    this._entry = entry;
    this._does = actions;
  }

  show(job) {
    if (!job) {
      this._show("queued", t("state.loading"), [], undefined);
      return;
    }
    const { name } = this._entry;
    this.root.dataset.state = job.state;
    const goes = !isOver(job) && !["gone", "expired", "unknown"].includes(job.state);
    const forget = [t("jobs.delete"), t("jobs.delete.of", { name }), this._does.remove];
    this._show(job.state, stateText(job), details(job), goes ? shareOf(job) : undefined);
    if (goes && job.isStopping) this._offer("stopping", []);
    else if (goes) this._offer("goes", [[t("jobs.cancel"), t("jobs.cancel.of", { name }), this._does.cancel]]);
    else if (job.state === "failed" && this._does.canRetry()) this._offer("failed", [[t("jobs.retry"), t("jobs.retry.of", { name }), this._does.retry, "primary"], forget]);
    else this._offer("over", [forget]);
  }
}
