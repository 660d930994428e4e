// The left side: conversations with their last message and badge, then everybody else.
import { $, avatar, h, reconcile } from "./dom.js";
import { directId } from "./model.js";
import { preview, shortTime } from "./text.js";

export class ListView {
  #model;
  #open;
  #current = "";

  /** `open` is called with the conversation that was chosen. */
  constructor(model, outbox, open) {
    this.#model = model;
    this.outbox = outbox;
    this.#open = open;
    model.addEventListener("change", () => this.#schedule());
    $("search").addEventListener("input", () => this.render());
    this.render();
  }

  set current(id) {
    this.#current = id;
    this.render();
  }

  #scheduled = false;

  // Many entries at once (a catch-up) are one rendering.
  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.render();
    });
  }

  render() {
    const model = this.#model;
    const query = $("search").value.trim().toLowerCase();
    const matches = (name) => name.toLowerCase().includes(query);
    const waiting = new Map(this.outbox.items.map((item) => [item.conversationId, item]));
    const time = (c) => Math.max(c.last?.timeMs ?? 0, waiting.get(c.id)?.timeMs ?? 0);

    const talks = [...model.conversations.values()]
      .filter((c) => c.isGroup ? c.isMember || c.last : c.last || c.head > 0 || waiting.has(c.id))
      .filter((c) => matches(model.titleOf(c)))
      .sort((a, b) => time(b) - time(a) || model.titleOf(a).localeCompare(model.titleOf(b)));
    const shown = new Set(talks.map((c) => c.id));
    const people = [...model.users.values()]
      .filter((user) => user.id !== model.me.id && !shown.has(directId(model.me.id, user.id)) && matches(user.displayName + " " + user.name))
      .sort((a, b) => b.online - a.online || a.displayName.localeCompare(b.displayName));

    const items = [];
    if (talks.length > 0) items.push(heading("Chats"));
    for (const c of talks) items.push(this.#talk(c, waiting.get(c.id)));
    if (people.length > 0) items.push(heading("People"));
    for (const user of people) items.push(this.#person(user));
    if (items.length === 0) items.push(nothing(query ? "Nobody and nothing by this name." : "Nobody else is here yet. Ask a colleague to register."));
    reconcile($("list"), items);

    const unread = talks.reduce((sum, c) => sum + c.unread, 0);
    document.title = unread > 0 ? `(${unread}) Chat` : "Chat";
  }

  #talk(c, pending) {
    const model = this.#model;
    const title = model.titleOf(c);
    const online = !c.isGroup && model.users.get(c.peerId)?.online === true;
    const last = pending && pending.timeMs > (c.last?.timeMs ?? 0) ? "You: " + preview(pending.content) : c.last ? this.#last(c) : "";
    const time = shortTime(Math.max(c.last?.timeMs ?? 0, pending?.timeMs ?? 0));
    const current = c.id === this.#current;
    return this.#row(c.id, [title, online, last, time, c.unread, current], () => h("button", {
      type: "button", className: "row", "aria-current": current ? "true" : undefined, data: { unread: c.unread > 0, conversation: c.id },
      onclick: () => this.#open(c.id),
    },
    avatar(c.isGroup ? c.id : c.peerId, title, { online }),
    h("span", {}, h("div", { className: "name" }, title), h("div", { className: "last" }, last)),
    h("span", { className: "side" }, time && h("span", {}, time),
      c.unread > 0 && h("span", { className: "badge", role: "img", "aria-label": `${c.unread} unread` }, c.unread > 99 ? "99+" : String(c.unread)))));
  }

  #person(user) {
    const id = directId(this.#model.me.id, user.id);
    const current = id === this.#current;
    return this.#row(id, [user.displayName, user.online, current], () => h("button", {
      type: "button", className: "row", "aria-current": current ? "true" : undefined, data: { conversation: id }, onclick: () => this.#open(id),
    },
    avatar(user.id, user.displayName, { online: user.online }),
    h("span", {}, h("div", { className: "name" }, user.displayName), h("div", { className: "last" }, user.online ? "online" : "@" + user.name))));
  }

  #row(id, version, make) {
    // Whoever has the focus keeps it when the row is made anew.
    return { key: id, version: JSON.stringify(version), make: () => {
      const row = make();
      if (document.activeElement?.itemKey === id) queueMicrotask(() => row.focus());
      return row;
    } };
  }

  #last(c) {
    const { last } = c;
    const who = last.kind !== "message" ? "" : last.senderId === this.#model.me.id ? "You: " : c.isGroup ? this.#model.nameOf(last.senderId) + ": " : "";
    return who + (last.kind === "message" ? preview(last.content) : last.describe(this.#model));
  }
}

const heading = (text) => ({ key: "h:" + text, version: text, make: () => h("h2", {}, text) });
const nothing = (text) => ({ key: "nothing", version: text, make: () => h("p", { className: "none" }, text) });
