// What the page knows: people, groups, conversations with their entries. Views listen to "change" (with the conversation's id, or "" for all).

/** The id of the direct conversation of two users: the server's rule, needed before the first message exists. */
export function directId(one, other) {
  const encoder = new TextEncoder();
  const [first, second] = compareBytes(encoder.encode(one), encoder.encode(other)) <= 0 ? [one, other] : [other, one];
  return `d:${encoder.encode(first).length}:${first}:${second}`;
}

function compareBytes(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function peerOf(conversationId, me) {
  const [, length, ...rest] = conversationId.split(":");
  const parties = rest.join(":");
  const bytes = new TextEncoder().encode(parties);
  const decoder = new TextDecoder();
  const first = decoder.decode(bytes.subarray(0, Number(length)));
  return first === me ? decoder.decode(bytes.subarray(Number(length) + 1)) : first;
}

/** One conversation. `entries` are contiguous up to `head`; unread = headOrdinal − baseOrdinal, as the server counts. */
class Conversation {
  entries = [];
  head = 0;
  headOrdinal = 0;
  baseOrdinal = 0;
  joinedSeq = 1;
  groupName = "";
  isMember = true;

  constructor(id, me) {
    this.id = id;
    this.isGroup = id.startsWith("g:");
    this.peerId = this.isGroup ? undefined : peerOf(id, me);
  }

  get unread() {
    return Math.max(0, this.headOrdinal - this.baseOrdinal);
  }

  get first() {
    return this.entries.length > 0 ? this.entries[0].seq : this.head + 1;
  }

  get hasOlder() {
    return this.first > this.joinedSeq;
  }

  get last() {
    return this.entries.at(-1);
  }
}

export class Model extends EventTarget {
  users = new Map();
  groups = new Map();
  conversations = new Map();

  constructor(me) {
    super();
    this.me = me;
    this.users.set(me.id, { ...me, online: true });
  }

  changed(conversationId = "") {
    this.dispatchEvent(new CustomEvent("change", { detail: conversationId }));
  }

  nameOf(userId) {
    return userId === this.me.id ? this.me.displayName : this.users.get(userId)?.displayName ?? (userId.startsWith("$") ? userId.slice(1) : "Somebody");
  }

  titleOf(conversation) {
    return conversation.isGroup ? this.groups.get(conversation.id)?.name || conversation.groupName || "Group" : this.nameOf(conversation.peerId);
  }

  setContacts(contacts) {
    this.users = new Map(contacts.map((user) => [user.id, user]));
    this.changed();
  }

  setGroups(groups) {
    this.groups = new Map(groups.map((group) => [group.conversationId, group]));
    for (const id of this.groups.keys()) this.conversation(id);
    this.changed();
  }

  /** The conversation, made if it is not known yet. */
  conversation(id) {
    let conversation = this.conversations.get(id);
    if (!conversation) this.conversations.set(id, (conversation = new Conversation(id, this.me.id)));
    return conversation;
  }

  /** A reset: what was known is dropped, the snapshot is all there is. */
  reset(states) {
    this.conversations.clear();
    for (const id of this.groups.keys()) this.conversation(id);
    for (const state of states) {
      if (state.id.startsWith("o:")) continue;
      const conversation = this.conversation(state.id);
      conversation.head = state.head;
      conversation.joinedSeq = Math.max(1, state.joinedSeq);
      conversation.groupName = state.groupName;
      if (state.last && state.last.seq === state.head) conversation.entries = [state.last];
      conversation.headOrdinal = state.last?.ordinal ?? state.unread;
      conversation.baseOrdinal = conversation.headOrdinal - state.unread;
    }
    this.changed();
  }

  /** The next entry of a conversation, as the client hands it over: each once, in order. Returns its conversation. */
  add(entry) {
    const conversation = this.conversation(entry.conversationId);
    if (entry.seq <= conversation.head) return conversation;

    // A gap means that the entries before are not here: begin anew, history brings them.
    if (entry.seq !== conversation.head + 1) conversation.entries = [];
    if (conversation.head === 0 && conversation.isGroup) conversation.joinedSeq = entry.seq;
    conversation.entries.push(entry);
    conversation.head = entry.seq;
    conversation.headOrdinal = Math.max(conversation.headOrdinal, entry.ordinal);
    if (entry.seq === conversation.joinedSeq && conversation.isGroup) conversation.baseOrdinal = entry.ordinal;
    if (entry.kind === "message" && entry.senderId === this.me.id) conversation.baseOrdinal = entry.ordinal;
    this.#follow(conversation, entry);
    this.changed(conversation.id);
    return conversation;
  }

  prepend(conversation, entries) {
    const older = entries.filter((entry) => entry.seq < conversation.first);
    conversation.entries = [...older, ...conversation.entries];
    if (conversation.head === 0 && older.length > 0) conversation.head = older.at(-1).seq;
    if (older.length === 0) conversation.joinedSeq = conversation.first;
    this.changed(conversation.id);
  }

  /** A read mark of the user, from here or from another device; it never moves back. */
  read(conversationId, seq) {
    const conversation = this.conversations.get(conversationId);
    if (!conversation) return;
    const at = seq >= conversation.head ? conversation.headOrdinal : conversation.entries.find((entry) => entry.seq === seq)?.ordinal;
    if (at === undefined || at <= conversation.baseOrdinal) return;
    conversation.baseOrdinal = at;
    this.changed(conversationId);
  }

  #follow(conversation, entry) {
    if (entry.groupName) conversation.groupName = entry.groupName;
    if (entry.removed?.includes(this.me.id) || entry.kind === "dissolved") conversation.isMember = false;
    if (entry.added?.includes(this.me.id)) conversation.isMember = true;
    if (entry.kind !== "message") this.dispatchEvent(new CustomEvent("groups-changed"));
  }
}
