// The page: its frame, and which view is shown. Addresses: `#/`, `#/d/<document>`, `#/d/<document>/<page>`.

import { startConnection } from "./connection.js";
import { startDialogs } from "./dialogs.js";
import { DocumentView } from "./document_view.js";
import { HomeView } from "./home_view.js";
import { byId } from "./dom.js";
import { startLanguage, t } from "./i18n.js";
import { startKeyboard } from "./keyboard.js";
import { startTheme } from "./theme.js";
import { Uploads } from "./uploads.js";

const uploads = new Uploads();
let view = null;

function show({ focus = false } = {}) {
  const [, kind, id, page] = location.hash.split("/");
  const wanted = Number.parseInt(page ?? "", 10) || null;
  if (kind === "d" && id) {
    if (view?.id === id) {
      view.goTo(wanted);
      return;
    }
    replaceView(new DocumentView(id, wanted));
  } else {
    replaceView(new HomeView(uploads));
  }
  byId("main").replaceChildren(view.root);
  view.start();
  title();
  if (focus) byId("main").focus();
}

function replaceView(next) {
  view?.stop();
  view = next;
  document.body.dataset.view = view instanceof DocumentView ? "document" : "home";
}

function title() {
  document.title = [view.title, t("brand")].filter(Boolean).join(" – ");
}

startTheme();
startLanguage();
startConnection();
startDialogs();
startKeyboard(() => view);
document.addEventListener("language", () => {
  const selected = document.activeElement?.dataset?.lang;
  view.retranslate();
  title();
  if (selected) document.querySelector(`[data-lang="${selected}"]`).focus();
});
document.addEventListener("title", title);
window.addEventListener("hashchange", () => show({ focus: true }));
// The browser asks whether to leave while a file is on its way; what the service has accepted does not need this page.
window.addEventListener("beforeunload", (event) => {
  if (uploads.areAtRisk) event.preventDefault();
});
// A file that misses the drop zone must not replace the page.
for (const event of ["dragover", "drop"]) window.addEventListener(event, (dropped) => dropped.preventDefault());
show();
