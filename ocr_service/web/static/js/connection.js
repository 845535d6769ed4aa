// Whether the service can be reached, for as long as somebody asks it for something.

import { announce, byId } from "./dom.js";
import { t } from "./i18n.js";

export function startConnection() {
  const notice = byId("away");
  document.addEventListener("reachable", ({ detail: isReachable }) => {
    if (notice.hidden === isReachable) return;
    notice.hidden = isReachable;
    announce(t(isReachable ? "connection.back" : "connection.away"));
  });
}
