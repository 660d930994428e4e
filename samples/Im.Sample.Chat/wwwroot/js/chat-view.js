// The right side: one conversation and the box to write in.
import { $, avatar, h, hueOf, icon, reconcile } from "./dom.js";
import { clock, dayKey, dayName } from "./text.js";
import { emojiPicker, isBig } from "./emoji.js";
import { pictureElement, sendPictures } from "./pictures.js";

const TOGETHER_MS = 5 * 60_000;

export class ChatView {
  #model;
  #connection;
  #outbox;
  #conversation = null;
  #atEnd = true;
  #loading = false;
  #newAfter = null; // the ordinal after which messages were unread when the conversation was opened
  #drafts = new Map();

  constructor(model, connection, outbox, actions) {
    this.#model = model;
    this.#connection = connection;
    this.#outbox = outbox;
    this.toast = actions.toast;

    model.addEventListener("change", (event) => this.#conversation && (event.detail === "" || event.detail === this.#conversation.id) && this.#schedule());
    connection.addEventListener("reset", () => this.#reopen());
    $("messages").addEventListener("scroll", () => this.#scrolled(), { passive: true });
    $("to-end").addEventListener("click", () => this.#toEnd());
    $("back").addEventListener("click", actions.back);
    $("members").addEventListener("click", () => actions.members(this.#conversation));
    document.addEventListener("visibilitychange", () => this.#read());
    window.addEventListener("focus", () => this.#read());
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe($("messages"));
    this.#wireComposer();
  }

  get id() {
    return this.#conversation?.id ?? "";
  }

  open(conversation) {
    if (this.#conversation) this.#drafts.set(this.#conversation.id, $("text").value);
    this.#conversation = conversation;
    this.#newAfter = conversation.unread > 0 ? conversation.baseOrdinal : null;
    this.#atEnd = true;
    $("empty").hidden = true;
    $("conversation").hidden = false;
    $("entries").replaceChildren();
    $("text").value = this.#drafts.get(conversation.id) ?? "";
    this.#grow();
    this.render();
    this.#toEnd();
    this.#fill();
  }

  close() {
    if (this.#conversation) this.#drafts.set(this.#conversation.id, $("text").value);
    this.#conversation = null;
    $("conversation").hidden = true;
    $("empty").hidden = false;
  }

  // After a reset the model has another object for the conversation.
  #reopen() {
    if (!this.#conversation) return;
    this.#conversation = this.#model.conversation(this.#conversation.id);
    this.#newAfter = null;
    this.#loading = false;
    this.render();
    this.#fill();
  }

  #scheduled = false;

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#conversation) return;
      this.render();
      this.#read();
    });
  }

  render() {
    const c = this.#conversation;
    const box = $("messages");
    const fromEnd = box.scrollHeight - box.scrollTop;
    this.#renderTitle(c);
    reconcile($("entries"), this.#items(c));
    $("older").textContent = this.#loading ? "Loading earlier messages…" : c.hasOlder ? "" : c.entries.length > 0 ? "This is where the conversation begins" : "";
    box.ariaBusy = String(this.#loading); // a page of history is not read out as news
    $("composer").hidden = !c.isMember;
    $("closed").hidden = c.isMember;
    if (this.#atEnd) this.#toEnd();
    else if (this.#keepFromEnd) box.scrollTop = box.scrollHeight - fromEnd;
    this.#keepFromEnd = false;
  }

  #keepFromEnd = false;

  #renderTitle(c) {
    const model = this.#model;
    const title = model.titleOf(c);
    const online = !c.isGroup && model.users.get(c.peerId)?.online === true;
    const members = model.groups.get(c.id)?.memberIds;
    const state = c.isGroup ? (members ? `${members.length} ${members.length === 1 ? "member" : "members"}` : "Group") : online ? "online" : "offline";
    reconcile($("title"), [{ key: "title", version: [c.id, title, online, state].join("\0"), make: () => h("div", { className: "title" },
      avatar(c.isGroup ? c.id : c.peerId, title, { size: "medium", online }),
      h("div", {}, h("h1", { className: "name" }, title), h("div", { className: "state", data: { online } }, state))) }]);
    $("members").hidden = !c.isGroup || !members;
    $("text").placeholder = `Message ${title}`;
  }

  #items(c) {
    const me = this.#model.me.id;
    const known = new Set(c.entries.filter((e) => e.senderId === me).map((e) => e.clientMessageId));
    const all = [
      ...c.entries.filter((e) => e.kind === "message" || e.describe(this.#model)),
      ...this.#outbox.items.filter((item) => item.conversationId === c.id && !known.has(item.clientMessageId))
        .map((item) => ({ ...item, kind: "message", senderId: me, item, seq: Infinity, ordinal: Infinity })),
    ];
    const items = [];
    let marked = this.#newAfter === null;
    all.forEach((entry, i) => {
      const previous = all[i - 1];
      const next = all[i + 1];
      const newDay = !previous || dayKey(previous.timeMs) !== dayKey(entry.timeMs);
      if (newDay) items.push(this.#line("day", dayKey(entry.timeMs), dayName(entry.timeMs)));
      const isNew = !marked && entry.ordinal > this.#newAfter && entry.senderId !== me && entry.kind === "message";
      if (isNew) {
        marked = true;
        items.push(this.#line("new", "new", "New messages"));
      }
      if (entry.kind !== "message") {
        items.push(this.#line("note", "s" + entry.seq, entry.describe(this.#model)));
        return;
      }
      const first = newDay || isNew || !together(previous, entry);
      const last = !next || !together(entry, next) || dayKey(next.timeMs) !== dayKey(entry.timeMs);
      items.push(this.#message(c, entry, first, last));
    });
    return items;
  }

  #line(className, key, text) {
    return { key: className + key, version: text, make: () => h("li", { className }, h("span", {}, text)) };
  }

  #message(c, entry, first, last) {
    const mine = entry.senderId === this.#model.me.id;
    const { item } = entry;
    const state = !mine ? "" : item?.failed ? "failed" : item && !item.acked ? "pending" : "sent";
    const name = this.#model.nameOf(entry.senderId);
    return {
      key: mine && entry.clientMessageId ? "c" + entry.clientMessageId : "s" + entry.seq,
      version: JSON.stringify([state, first, last, name, item?.failed, entry.timeMs]),
      make: () => h("li", {
        className: `message${mine ? " mine" : c.isGroup ? "" : " direct"}`,
        data: { state, first, last, fresh: state === "pending" || Date.now() - entry.timeMs < 3000, id: entry.clientMessageId || undefined },
      },
      !mine && c.isGroup && first && this.#author(entry.senderId, name),
      !mine && c.isGroup && last && avatar(entry.senderId, name, { size: "small" }),
      h("span", { className: "visually-hidden" }, mine ? "You: " : name + ": "),
      this.#bubble(entry, state),
      state === "failed" && h("div", { className: "failed" }, `Not sent: ${item.failed} `,
        h("button", { type: "button", onclick: () => this.#connection.retry(item) }, "Try again"),
        h("button", { type: "button", onclick: () => this.#connection.discard(item) }, "Delete"))),
    };
  }

  #author(id, name) {
    const author = h("div", { className: "author", "aria-hidden": "true" }, name);
    author.style.setProperty("--hue", hueOf(id));
    return author;
  }

  #bubble(entry, state) {
    const { content } = entry;
    const meta = h("span", { className: "meta" }, clock(entry.timeMs),
      state === "pending" ? icon("clock") : state === "sent" ? icon("check") : null,
      state && h("span", { className: "visually-hidden" }, state === "pending" ? "not sent yet" : state));
    if (content?.contentType === "image") {
      const picture = pictureElement(content.text, () => this.#atEnd && this.#toEnd());
      if (picture) return h("div", { className: "bubble image" }, picture, meta);
    }
    const text = !content ? "This message is no longer kept." : ["text", "face"].includes(content.contentType) ? content.text
      : `This page cannot show a message of the type ${content.contentType}.`;
    return h("div", { className: `bubble${isBig(text) ? " big" : ""}` }, text, meta);
  }

  #scrolled() {
    const box = $("messages");
    this.#atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    $("to-end").hidden = this.#atEnd;
    if (this.#atEnd) this.#read();
    this.#fill();
  }

  #toEnd() {
    const box = $("messages");
    box.scrollTop = box.scrollHeight;
    this.#atEnd = true;
    $("to-end").hidden = true;
    this.#read();
  }

  // Loads a page of history where the reader is near the top, or where the page is not full yet.
  async #fill() {
    const c = this.#conversation;
    const box = $("messages");
    if (!c || this.#loading || !c.hasOlder || (c.head === 0 && c.entries.length === 0) || box.scrollTop > 200) return;
    this.#loading = true;
    this.render();
    let loaded = false;
    try {
      const count = c.entries.length;
      this.#keepFromEnd = true;
      await this.#connection.loadOlder(c);
      loaded = c.entries.length > count;
    } catch {
      // Offline: the next scroll, or the next reset, tries again.
    }
    if (c !== this.#conversation) return;
    this.#loading = false;
    this.#keepFromEnd = true;
    this.render();
    if (loaded && this.#atEnd) this.#toEnd();
    if (loaded) this.#fill();
  }

  // Read is what stood before somebody's eyes: page visible, conversation open, at its end.
  #read() {
    const c = this.#conversation;
    if (c && this.#atEnd && document.visibilityState === "visible" && document.hasFocus() && $("conversation").offsetParent !== null) {
      this.#connection.markRead(c);
    }
  }

  #wireComposer() {
    const text = $("text");
    for (const [id, name] of [["emoji-toggle", "smile"], ["picture", "picture"], ["send", "send"], ["back", "back"], ["members", "people"], ["to-end", "down"]]) {
      $(id).append(icon(name));
    }
    const emoji = emojiPicker((chosen) => {
      text.setRangeText(chosen, text.selectionStart, text.selectionEnd, "end");
      text.dispatchEvent(new Event("input"));
    });
    text.addEventListener("input", () => this.#grow());
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        $("composer").requestSubmit();
      }
    });
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      const written = text.value.trim();
      emoji.close();
      text.focus();
      if (!written || !this.#conversation) return;
      text.value = "";
      this.#grow();
      this.#sendContent(this.#conversation, { contentType: "text", text: written });
    });

    const pictures = (files) => this.#conversation && sendPictures(files, this.#conversation, (c, content) => this.#sendContent(c, content), this.toast);
    $("picture").addEventListener("click", () => $("file").click());
    $("file").addEventListener("change", () => {
      pictures([...$("file").files]);
      $("file").value = "";
    });
    text.addEventListener("paste", (event) => event.clipboardData?.files.length > 0 && (event.preventDefault(), pictures([...event.clipboardData.files])));
    const pane = $("conversation");
    pane.addEventListener("dragover", (event) => (event.preventDefault(), pane.classList.add("drop")));
    pane.addEventListener("dragleave", () => pane.classList.remove("drop"));
    pane.addEventListener("drop", (event) => {
      event.preventDefault();
      pane.classList.remove("drop");
      pictures([...event.dataTransfer.files]);
    });
  }

  #sendContent(conversation, content) {
    this.#newAfter = null;
    this.#atEnd = true;
    this.#connection.send(conversation, content);
  }

  #grow() {
    const text = $("text");
    text.style.height = "auto";
    text.style.height = Math.max(42, text.scrollHeight + 2) + "px";
  }
}

function together(one, other) {
  return one.kind === "message" && other.kind === "message" && one.senderId === other.senderId && other.timeMs - one.timeMs < TOGETHER_MS;
}
