// Messages that the server has not acked yet. They survive a reload: a message is sent again under the id that it was given when it was written,
// and the server stores it once however often it arrives.

export class Outbox {
  #key;
  #items;

  constructor(userId) {
    this.#key = `chat.outbox.${userId}`;
    try {
      this.#items = JSON.parse(localStorage.getItem(this.#key) ?? "[]");
    } catch {
      this.#items = [];
    }
  }

  /** Oldest first. */
  get items() {
    return this.#items;
  }

  add(conversation, content) {
    const item = { clientMessageId: randomId(), conversationId: conversation.id, peerId: conversation.peerId, content, timeMs: Date.now() };
    this.#items.push(item);
    this.save();
    return item;
  }

  remove(clientMessageId) {
    this.#items = this.#items.filter((item) => item.clientMessageId !== clientMessageId);
    this.save();
  }

  save() {
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#items));
    } catch {
      // A full or forbidden storage costs the resend after a reload, not the message.
    }
  }
}

/** 128 random bits. */
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
