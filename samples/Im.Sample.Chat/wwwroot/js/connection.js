// Between the IM client and the model: events in, messages out.
import { ImClient } from "../lib/im-client.js";
import { toEntry, toState } from "./entries.js";
import { randomId } from "./outbox.js";

const PAGE = 40;
const SAME_DEVICE_ELSEWHERE = 3504;

/** One id for this browser: the same device signing in again replaces its older connection, so only one tab is active. */
function deviceId() {
  let id = localStorage.getItem("chat.device");
  if (!id) localStorage.setItem("chat.device", (id = "web-" + randomId()));
  return id;
}

// A message was refused for good only where the server answered with an error code (below 1000; the host's own from 10000). 0 is the client's own
// and 1000 to 4999 close a connection: the message waits for the next start.
const isRefusal = (code) => (code > 0 && code < 1000) || code >= 10_000;

/** Tells about "state" ({ state, nextAttemptAt, replaced, refused }) and "message" (a message of somebody else that has just come). */
export class Connection extends EventTarget {
  #model;
  #outbox;
  #client;
  #sending = new Set();
  #marked = new Map();

  constructor(model, outbox) {
    super();
    this.#model = model;
    this.#outbox = outbox;
    this.#client = new ImClient({
      url: new URL("/im", location.href.replace(/^http/, "ws")).href,
      deviceId: deviceId(),
      device: { type: "web", clientVersion: "sample" },
      // No cursor store: the page keeps nothing over a reload, so it starts from a snapshot; what it has not sent yet is in the outbox.
      requestTimeoutMs: 0,
      reconnectMaxMs: 15_000,
      onEvent: (event) => this.#receive(event),
    });
    this.#client.addEventListener("statechange", (event) => this.#state(event.detail));
  }

  connect() {
    this.#client.connect().catch(() => {}); // the state says it
    for (const item of this.#outbox.items) if (!item.failed) this.#send(item);
  }

  close() {
    this.#client.close();
  }

  /** Shows the message at once and sends it; resends and reconnects are the client's business. */
  send(conversation, content) {
    const item = this.#outbox.add(conversation, content);
    this.#model.changed(conversation.id);
    this.#send(item);
  }

  retry(item) {
    delete item.failed;
    this.#outbox.save();
    this.#model.changed(item.conversationId);
    this.#send(item);
  }

  discard(item) {
    this.#outbox.remove(item.clientMessageId);
    this.#model.changed(item.conversationId);
  }

  async loadOlder(conversation) {
    const before = conversation.entries.length > 0 ? conversation.first : 0;
    const page = await this.#client.history(conversation.id, { before, limit: PAGE });
    this.#model.prepend(conversation, page.entries.map(toEntry));
  }

  /** Everything in the conversation has been seen. Told once for each head. */
  async markRead(conversation) {
    const seq = conversation.head;
    if (seq === 0 || conversation.unread === 0 || (this.#marked.get(conversation.id) ?? 0) >= seq) return;
    this.#marked.set(conversation.id, seq);
    this.#model.read(conversation.id, seq);
    try {
      await this.#client.markRead(conversation.id, seq);
    } catch {
      this.#marked.delete(conversation.id); // the next look at the conversation tries again
    }
  }

  async #send(item) {
    if (this.#sending.has(item.clientMessageId)) return;
    this.#sending.add(item.clientMessageId);
    const target = item.peerId ? { to: item.peerId } : { conversationId: item.conversationId };
    try {
      const ack = await this.#client.send(target, item.content, { clientMessageId: item.clientMessageId });
      item.acked = ack;
      this.#settle(item);
    } catch (error) {
      if (isRefusal(error.code)) {
        item.failed = error.message || error.reason;
        this.#outbox.save();
        this.#model.changed(item.conversationId);
      }
    } finally {
      this.#sending.delete(item.clientMessageId);
    }
  }

  // An acked message leaves the outbox when its entry is here too, so that it never disappears in between.
  #settle(item) {
    const conversation = this.#model.conversations.get(item.conversationId);
    if (conversation && conversation.head >= item.acked.conversationSeq) this.#outbox.remove(item.clientMessageId);
    this.#model.changed(item.conversationId);
  }

  #receive(event) {
    if (event.type === "reset") {
      this.#marked.clear();
      this.#model.reset(event.conversations.map(toState));
      for (const item of this.#outbox.items.filter((item) => item.acked)) this.#outbox.remove(item.clientMessageId);
      this.dispatchEvent(new Event("reset"));
      return;
    }
    if (event.type !== "entry") return;
    if (event.entry.kind === "readMarkMoved") {
      this.#model.read(event.entry.readMarkMoved.conversationId, event.entry.readMarkMoved.conversationSeq);
      return;
    }
    if (event.entry.conversationId.startsWith("o:")) return;
    const entry = toEntry(event.entry);
    if (entry.senderId === this.#model.me.id && entry.clientMessageId) this.#outbox.remove(entry.clientMessageId);
    const conversation = this.#model.add(entry);
    if (entry.kind === "message" && entry.senderId !== this.#model.me.id) this.dispatchEvent(new CustomEvent("message", { detail: conversation }));
  }

  #state({ state, nextAttemptAt, error }) {
    const code = error?.code ?? 0;
    this.dispatchEvent(new CustomEvent("state", {
      detail: { state, nextAttemptAt, code, replaced: state === "closed" && code === SAME_DEVICE_ELSEWHERE, reason: error?.message ?? "" },
    }));
  }
}
