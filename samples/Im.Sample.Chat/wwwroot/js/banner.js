// The line on top that says when there is no connection, and counts down to the next attempt.
import { $, h } from "./dom.js";

const SHOW_AFTER_MS = 600; // a short interruption is not worth a line

export function banner(connection, reload) {
  const box = $("banner");
  let timer;

  const show = (kind, text, action) => {
    box.dataset.kind = kind;
    // Only a changed text is announced; the countdown's number is not read out each second.
    box.replaceChildren(h("span", {}, text), ...(action ? [h("button", { type: "button", onclick: action.run }, action.label)] : []));
    box.hidden = false;
  };

  connection.addEventListener("state", ({ detail }) => {
    clearTimeout(timer);
    if (detail.state === "connected") {
      box.hidden = true;
    } else if (detail.state === "connecting") {
      timer = setTimeout(() => show("wait", "Connecting…"), box.hidden ? SHOW_AFTER_MS : 0);
    } else if (detail.state === "waiting") {
      const tick = () => {
        const seconds = Math.max(0, Math.ceil(((detail.nextAttemptAt ?? Date.now()) - Date.now()) / 1000));
        const text = seconds > 0 ? `No connection. Trying again in ${seconds} s…` : "No connection. Trying again…";
        show("wait", text);
        timer = setTimeout(tick, 500);
      };
      timer = setTimeout(tick, box.hidden ? SHOW_AFTER_MS : 0);
    } else if (detail.replaced) {
      show("bad", "The chat is open in another tab.", { label: "Use it here", run: reload });
    } else {
      show("bad", `Disconnected${detail.reason ? ": " + detail.reason : ""}.`, { label: "Reload", run: reload });
    }
  });
}
