// Client of Im.Embedded over a WebSocket, subprotocol im.v1.json. No dependencies.
//
//   server --push--> received --buffer--> handler --resolved--> consumed --coalesced--> cursor store, device ack
//
// Two sets of cursors: what was received (a reconnect in this page goes on there) and what the application has
// handled (a reload goes on there). An entry is applied only if it is the cursor's next one, so nothing is skipped
// or delivered twice. Everything here runs on one thread; what an await may have changed is checked after it.

// ------------------------------------------------------------------------------------------------ types

/** @typedef {'connecting' | 'connected' | 'waiting' | 'closed'} ImState */
/** @typedef {'FANOUT_UNSPECIFIED' | 'WRITE' | 'READ'} ImFanout */
/** @typedef {'SEND_RESULT_UNSPECIFIED' | 'STORED' | 'DUPLICATE' | 'RELAYED'} ImSendResult */

/**
 * What a message says.
 * @typedef {object} ImContent
 * @property {string} contentType text, face, voice, image, file, location, command, custom, or a type of your own.
 * @property {string} text
 * @property {Uint8Array} data
 * @property {string[]} mentions User ids; "*" = everyone.
 */

/**
 * @typedef {object} ImGroupInfo
 * @property {string} name
 * @property {string} avatar
 * @property {string} extra
 * @property {ImFanout} fanout
 * @property {number} memberCount
 * @property {number} membershipVersion
 */

/**
 * One position of a conversation's timeline. `kind` names the one body field that is set; null = a body that this
 * version does not know, or one that is gone.
 * @typedef {object} ImEntry
 * @property {string} conversationId
 * @property {number} conversationSeq
 * @property {number} ordinal How many unread-counting messages the conversation has up to and including this entry.
 * @property {string} senderId
 * @property {string} senderDeviceId
 * @property {string} clientMessageId
 * @property {number} timeMs Unix milliseconds, set by the server.
 * @property {boolean} gone The body is no longer kept.
 * @property {'content' | 'groupCreated' | 'groupChanged' | 'groupDissolved' | 'membersChanged' | 'fanoutChanged' | 'readMarkMoved' | null} kind
 * @property {ImContent} [content]
 * @property {{group: ImGroupInfo | null, members: string[]}} [groupCreated]
 * @property {{group: ImGroupInfo | null}} [groupChanged]
 * @property {{}} [groupDissolved]
 * @property {{added: string[], removed: string[], group: ImGroupInfo | null}} [membersChanged]
 * @property {{fanout: ImFanout}} [fanoutChanged]
 * @property {{conversationId: string, conversationSeq: number, unread: number}} [readMarkMoved]
 */

/**
 * @typedef {object} ImConversationState
 * @property {string} conversationId
 * @property {number} head
 * @property {ImFanout} fanout
 * @property {ImGroupInfo | null} group Set for groups.
 * @property {number} readSeq
 * @property {number} unread
 * @property {ImEntry | null} lastEntry
 * @property {number} joinedSeq
 */

/** @typedef {{type: 'entry', timeline: string, seq: number, entry: ImEntry}} ImEntryEvent `timeline` is "inbox" or a conversation id. */
/** @typedef {{type: 'reset', generation: string, inboxSeq: number, conversations: ImConversationState[]}} ImResetEvent Drop what you had; start from this. */
/** @typedef {{type: 'signal', message: ImEntry | null, sender: ImSenderSignal | null}} ImSignalEvent A message without a seq, or what somebody sent by `sendSignal`; at most once. */
/** @typedef {{conversationId: string, roomId: string, senderId: string, senderDeviceId: string, type: string, data: string, timeMs: number}} ImSenderSignal One of the two ids is empty. */
/** @typedef {{userId: string, isOnline: boolean, deviceTypes: string[], lastSeenMs: number}} ImUserPresence `lastSeenMs` is 0 while online, or where it is not known. */
/** @typedef {{type: 'presence', users: ImUserPresence[]}} ImPresenceEvent The newest state of those that changed; after a reconnect, of all that are subscribed to. */
/** @typedef {{type: 'presenceEnded', conversationId: string | null, error: ImError}} ImPresenceEndedEvent What could not be subscribed to again after a reconnect; null = the users. */

/** @typedef {'NORMAL' | 'HIGH'} ImRoomPriority */
/** @typedef {{senderId: string, senderDeviceId: string, clientMessageId: string, timeMs: number, content: ImContent}} ImRoomMessage */
/** @typedef {{type: 'roomMessage', roomId: string, priority: ImRoomPriority, seq: number, message: ImRoomMessage}} ImRoomMessageEvent In order and each once for each priority; high ones may come before older normal ones. */
/** @typedef {{type: 'roomGap', roomId: string, priority: ImRoomPriority, from: number, to: number}} ImRoomGapEvent Messages that this client will not get. */
/** @typedef {{type: 'roomLeft', roomId: string, error: ImError | null}} ImRoomLeftEvent The server ended the subscription, or refused it after a reconnect. */
/** @typedef {{roomId: string, epoch: string, heads: {NORMAL: number, HIGH: number}}} ImRoomState Where the room stood when it was subscribed to. */
/** @typedef {ImEntryEvent | ImResetEvent | ImSignalEvent | ImPresenceEvent | ImPresenceEndedEvent | ImRoomMessageEvent | ImRoomGapEvent | ImRoomLeftEvent} ImEvent */

/** @typedef {{to: string} | {conversationId: string}} ImTarget */
/** @typedef {string | {contentType?: string, text?: string, data?: Uint8Array, mentions?: string[]}} ImContentInput A string is a text message. */
/** @typedef {{result: ImSendResult, clientMessageId: string, conversationId: string, conversationSeq: number, timeMs: number}} ImSendAck */
/** @typedef {{conversationId: string, entries: ImEntry[], hasMore: boolean, head: number, floor: number}} ImHistoryPage */

/**
 * What a cursor store keeps: plain JSON. Treat it as opaque.
 * @typedef {object} ImCursors
 * @property {string} userId
 * @property {string} generation
 * @property {number} inboxSeq
 * @property {ImConversationCursor[]} conversations
 */

/** @typedef {{conversationId: string, seq: number, lastSeq?: number}} ImConversationCursor `lastSeq` is set when the user has left: nothing comes after it. */
/** @typedef {{load(): Promise<ImCursors | null>, save(cursors: ImCursors): Promise<void>}} ImCursorStore */
/**
 * `reason`: the name of the server's close code, or `connection_lost`, `connect_timeout`, `ping_timeout`, `no_subprotocol` (something else than an IM server
 * answered), `protocol_violation`, `not_ready` (the token function or the cursor store failed), `behind` (the handler has to catch up), `other_user` (the
 * saved cursors were another user's), `cursor_beyond_head`, `online`, `closed`, `bad_url`. `error` is set when closed.
 * @typedef {{state: ImState, previous: ImState, nextAttemptAt: number | null, reason: string | null, error: ImError | null}} ImStateChange
 */

/**
 * @typedef {object} ImClientOptions
 * @property {string | URL | readonly (string | URL)[]} url `wss://…`, or a path such as `/im` in a browser. A list names the nodes of one cluster: a connect that fails and a
 *   connection that is lost make the next attempt go to the next one, round and round; a client that is connected stays where it is. Shuffle the list for
 *   each device, so that a node's devices spread over all others.
 * @property {string} deviceId Names this installation, 1 to 64 bytes. The same user and device on another connection replaces this one.
 * @property {string | (() => string | Promise<string>)} [token] A function is asked before every sign-in, and before a token expires; if it rejects, it is asked again later.
 *   Leave it out where the endpoint is authorized by cookie or header.
 * @property {{type?: string, brand?: string, model?: string, os?: string, clientVersion?: string}} [device]
 * @property {ImCursorStore} [cursorStore] Default: memory, so a reload starts with a reset.
 * @property {(event: ImEvent) => unknown} [onEvent] Called with one event at a time; the next one waits for its promise. If it rejects, the same event comes again. Without it use `events()`.
 * @property {(error: unknown) => void} [onError] Trouble that the client handles by itself: a handler, a cursor store or a token function that failed, an address of a list that no WebSocket takes. Default: `console.error`.
 * @property {new (url: string, protocols: string[]) => any} [WebSocket] Default: the global one.
 * @property {number} [connectTimeoutMs] From opening a socket to signed in. Default 15000.
 * @property {number} [requestTimeoutMs] How long a send or another request is resent and waited for, being offline included. Default 30000; 0 = for ever.
 * @property {number} [reconnectBaseMs] First ceiling of the jittered backoff. Default 500.
 * @property {number} [reconnectMaxMs] Last ceiling of the jittered backoff. Default 30000.
 * @property {number} [stableAfterMs] A connection that lived this long, and longer than the wait before it, starts the backoff anew. Default 5000.
 * @property {number} [retryBaseMs] First ceiling of the backoff after a retryable error. Default 250.
 * @property {number} [retryMaxMs] Last ceiling of the backoff after a retryable error. Default 5000.
 * @property {number} [pingIntervalMs] At most this; a third of the server's idle timeout if that is less. Default 25000.
 * @property {number} [pingTimeoutMs] Nothing received for this long after a ping = the connection is dead. Default 10000.
 * @property {number} [maxPending] Requests that wait for their reply; above it `send` rejects. Default 1000.
 * @property {number} [maxBufferedEvents] Events received and not yet handled; above it the socket is closed until half of them are handled. Default 4096.
 * @property {number} [maxBufferedChars] The same in characters of JSON. Default 16777216.
 * @property {number} [flushIntervalMs] Cursor saves and device acks are gathered for this long. Default 1000.
 * @property {number} [flushEntries] Or until this many entries were handled. Default 100.
 * @property {Partial<ImHooks>} [hooks] For tests.
 */

/**
 * @typedef {object} ImHooks
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} now
 * @property {() => number} random
 * @property {{addEventListener(type: string, listener: () => void): void, removeEventListener(type: string, listener: () => void): void} | null} onlineTarget
 */

export const SUBPROTOCOL = 'im.v1.json';

/** The name of the inbox as an event's `timeline`. No conversation id is equal to it: they begin with "d:", "g:" or "o:". */
export const INBOX = 'inbox';

const DEFAULTS = Object.freeze({
  connectTimeoutMs: 15_000,
  requestTimeoutMs: 30_000,
  reconnectBaseMs: 500,
  reconnectMaxMs: 30_000,
  stableAfterMs: 5_000,
  retryBaseMs: 250,
  retryMaxMs: 5_000,
  pingIntervalMs: 25_000,
  pingTimeoutMs: 10_000,
  maxPending: 1_000,
  maxBufferedEvents: 4_096,
  maxBufferedChars: 16 * 1024 * 1024,
  flushIntervalMs: 1_000,
  flushEntries: 100,
});

const CODE = Object.freeze({ internal: 100, storageUnavailable: 101, shuttingDown: 102, clusterUnavailable: 103, rateLimited: 203, tokenExpired: 303, cursorBeyondHead: 304, bodyTooLarge: 404 });
const CLOSE = Object.freeze({ normal: 1000, tokenExpired: 3002, firstFinal: 3500, badCursor: 3506 });
/** @type {Set<number>} */
const RETRYABLE = new Set([CODE.internal, CODE.storageUnavailable, CODE.shuttingDown, CODE.clusterUnavailable, CODE.rateLimited]);
/** What to do about it, where the reason alone does not say it. @type {Map<string, string>} */
const HINTS = new Map([
  ['replaced', ' The same user and device id has connected elsewhere, for example in another tab; give each of them a device id of its own.'],
  ['bad_token', ' Let the user sign in again, and make a new ImClient.'],
  ['token_expired', ' Give a token function, which is asked for a new one in time.'],
]);
const ROOM_EVENTS = new Set(['roomMessage', 'roomGap', 'roomLeft']);
const ALL_THAT_IS_KEPT = 0x7fffffff;
const LONGEST_TIMER_MS = 0x7fffffff;

const NOT_ZERO = new Set(['connectTimeoutMs', 'pingIntervalMs', 'pingTimeoutMs', 'maxPending', 'maxBufferedEvents', 'maxBufferedChars']);

/**
 * Why a request was not done, or why the client is closed. `code` is the server's error or close code; 0 = decided by
 * the client, with the reasons `timeout`, `closed`, `not_connected`, `connection_lost`, `too_many_pending`, `bad_url`.
 */
export class ImError extends Error {
  /**
   * @param {number} code
   * @param {string} reason
   * @param {string} [message]
   * @param {string} [clientMessageId]
   */
  constructor(code, reason, message, clientMessageId) {
    super(message || reason);
    this.name = 'ImError';
    /** @type {number} */
    this.code = code;
    /** @type {string} The code's name, for example not_a_member. */
    this.reason = reason;
    /** @type {string | undefined} Set for sends; sending again with the same id is safe. */
    this.clientMessageId = clientMessageId;
  }
}

// ------------------------------------------------------------------------------------------------ cursor stores

/**
 * Keeps cursors as long as the object lives.
 * @returns {ImCursorStore}
 */
export function memoryCursorStore() {
  /** @type {string | null} */
  let kept = null;
  return {
    async load() { return kept === null ? null : JSON.parse(kept); },
    async save(cursors) { kept = JSON.stringify(cursors); },
  };
}

/**
 * Keeps cursors in the browser's localStorage. Use one key for each user and device.
 * @param {string} key
 * @param {{getItem(key: string): string | null, setItem(key: string, value: string): void}} [storage] Default: the global localStorage.
 * @returns {ImCursorStore}
 */
export function localStorageCursorStore(key, storage) {
  const store = () => storage ?? globalThis.localStorage;
  return {
    async load() {
      try {
        const text = store().getItem(key);
        return text ? JSON.parse(text) : null;
      } catch {
        return null; // unreadable = a new device: it gets a reset
      }
    },
    async save(cursors) { store().setItem(key, JSON.stringify(cursors)); },
  };
}

// ------------------------------------------------------------------------------------------------ reading proto3 JSON

/** The server sent what the protocol does not allow; the connection is given up and made again. */
class ProtocolViolation extends Error {}

/** @type {(value: any, name: string) => never} */
const violation = (value, name) => { throw new ProtocolViolation(`${name} cannot be ${JSON.stringify(value)}`); };
/** @type {(value: any, name: string) => number} */
function int(value, name) {
  if (value === undefined || value === null) return 0;
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) ? number : violation(value, name);
}
/** @type {(value: any, name: string) => string} */
const str = (value, name) => (value === undefined || value === null ? '' : typeof value === 'string' ? value : violation(value, name));
/** @type {(value: any, name: string) => boolean} */
const bool = (value, name) => (value === undefined || value === null ? false : typeof value === 'boolean' ? value : violation(value, name));
/** @type {(value: any, name: string) => Record<string, any>} */
const object = (value, name) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : violation(value, name));
/** @type {<T>(value: any, name: string, read: (item: any, name: string) => T) => T[]} */
const list = (value, name, read) =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value.map((item) => read(item, name)) : violation(value, name);
/** @type {(value: any, name: string, names: string[]) => any} */
const enumeration = (value, name, names) =>
  value === undefined || value === null ? names[0] : typeof value === 'string' ? value : names[value] ?? violation(value, name);

/** @type {(value: any, name: string) => Uint8Array} */
function bytes(value, name) {
  const text = str(value, name);
  let binary;
  try {
    binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  } catch {
    return violation(text.slice(0, 40), name);
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** @type {(data: Uint8Array) => string} */
function base64(data) {
  let binary = '';
  for (let at = 0; at < data.length; at += 8192) binary += String.fromCharCode(...data.subarray(at, at + 8192));
  return btoa(binary);
}

const FANOUTS = ['FANOUT_UNSPECIFIED', 'WRITE', 'READ'];
const ROOM_PRIORITIES = ['ROOM_PRIORITY_UNSPECIFIED', 'NORMAL', 'HIGH'];
const SEND_RESULTS = ['SEND_RESULT_UNSPECIFIED', 'STORED', 'DUPLICATE', 'RELAYED'];

/** @type {(value: any) => ImGroupInfo | null} */
function readGroup(value) {
  if (value === undefined || value === null) return null;
  const g = object(value, 'group');
  return {
    name: str(g.name, 'name'),
    avatar: str(g.avatar, 'avatar'),
    extra: str(g.extra, 'extra'),
    fanout: enumeration(g.fanout, 'fanout', FANOUTS),
    memberCount: int(g.memberCount, 'memberCount'),
    membershipVersion: int(g.membershipVersion, 'membershipVersion'),
  };
}

/** @type {Record<string, (body: Record<string, any>) => any>} */
const BODIES = {
  content: (b) => ({
    contentType: str(b.contentType, 'contentType'),
    text: str(b.text, 'text'),
    data: bytes(b.data, 'data'),
    mentions: list(b.mentions, 'mentions', str),
  }),
  groupCreated: (b) => ({ group: readGroup(b.group), members: list(b.members, 'members', str) }),
  groupChanged: (b) => ({ group: readGroup(b.group) }),
  groupDissolved: () => ({}),
  membersChanged: (b) => ({ added: list(b.added, 'added', str), removed: list(b.removed, 'removed', str), group: readGroup(b.group) }),
  fanoutChanged: (b) => ({ fanout: enumeration(b.fanout, 'fanout', FANOUTS) }),
  readMarkMoved: (b) => ({
    conversationId: str(b.conversationId, 'conversationId'),
    conversationSeq: int(b.conversationSeq, 'conversationSeq'),
    unread: int(b.unread, 'unread'),
  }),
};

/** @type {(value: any, name?: string) => ImEntry} */
function readEntry(value, name = 'entry') {
  const e = object(value, name);
  /** @type {any} */
  const entry = {
    conversationId: str(e.conversationId, 'conversationId'),
    conversationSeq: int(e.conversationSeq, 'conversationSeq'),
    ordinal: int(e.ordinal, 'ordinal'),
    senderId: str(e.senderId, 'senderId'),
    senderDeviceId: str(e.senderDeviceId, 'senderDeviceId'),
    clientMessageId: str(e.clientMessageId, 'clientMessageId'),
    timeMs: int(e.timeMs, 'timeMs'),
    gone: bool(e.gone, 'gone'),
    kind: null,
  };
  for (const kind of Object.keys(BODIES)) {
    if (e[kind] === undefined || e[kind] === null) continue;
    entry.kind = kind;
    entry[kind] = BODIES[kind](object(e[kind], kind));
  }
  return entry;
}

/** @type {(value: any) => ImConversationState} */
function readConversation(value) {
  const c = object(value, 'conversation');
  return {
    conversationId: str(c.conversationId, 'conversationId'),
    head: int(c.head, 'head'),
    fanout: enumeration(c.fanout, 'fanout', FANOUTS),
    group: readGroup(c.group),
    readSeq: int(c.readSeq, 'readSeq'),
    unread: int(c.unread, 'unread'),
    lastEntry: c.lastEntry === undefined || c.lastEntry === null ? null : readEntry(c.lastEntry),
    joinedSeq: int(c.joinedSeq, 'joinedSeq'),
  };
}

/** @type {(value: any) => ImRoomMessage} */
function readRoomMessage(value) {
  const m = object(value, 'message');
  return {
    senderId: str(m.senderId, 'senderId'),
    senderDeviceId: str(m.senderDeviceId, 'senderDeviceId'),
    clientMessageId: str(m.clientMessageId, 'clientMessageId'),
    timeMs: int(m.timeMs, 'timeMs'),
    content: BODIES.content(object(m.content ?? {}, 'content')),
  };
}

/** What a request's reply becomes for the application, by the reply's name in the packet. @type {Record<string, (body: any) => any>} */
const REPLIES = {
  sendAck: (b) => ({
    result: enumeration(b.result, 'result', SEND_RESULTS),
    clientMessageId: str(b.clientMessageId, 'clientMessageId'),
    conversationId: str(b.conversationId, 'conversationId'),
    conversationSeq: int(b.conversationSeq, 'conversationSeq'),
    timeMs: int(b.timeMs, 'timeMs'),
  }),
  syncPage: (b) => ({
    conversationId: str(b.conversationId, 'conversationId'),
    entries: list(b.entries, 'entries', readEntry),
    hasMore: bool(b.hasMore, 'hasMore'),
    head: int(b.head, 'head'),
    floor: int(b.floor, 'floor'),
  }),
  markedRead: (b) => ({ conversationId: str(b.conversationId, 'conversationId'), conversationSeq: int(b.conversationSeq, 'conversationSeq') }),
  roomSubscribed: (b) => {
    const heads = { NORMAL: 0, HIGH: 0 };
    for (const head of list(b.heads, 'heads', object)) heads[/** @type {ImRoomPriority} */ (enumeration(head.priority, 'priority', ROOM_PRIORITIES))] = int(head.roomSeq, 'roomSeq');
    return { roomId: str(b.roomId, 'roomId'), epoch: str(b.epoch, 'epoch'), heads };
  },
  roomLeft: (b) => ({ roomId: str(b.roomId, 'roomId') }),
  roomSent: (b) => ({
    roomId: str(b.roomId, 'roomId'),
    priority: enumeration(b.priority, 'priority', ROOM_PRIORITIES),
    seq: int(b.roomSeq, 'roomSeq'),
    timeMs: int(b.timeMs, 'timeMs'),
  }),
  tokenRefreshed: (b) => ({ tokenExpiresAtMs: int(b.tokenExpiresAtMs, 'tokenExpiresAtMs') }),
  presenceSubscribed: (b) => ({ users: list(b.users, 'users', readPresence), isPartial: bool(b.isPartial, 'isPartial') }),
  presenceUnsubscribed: () => undefined,
  signalSent: (b) => bool(b.isRelayed, 'isRelayed'),
};

/** @type {(value: any) => ImUserPresence} */
function readPresence(value) {
  const u = object(value, 'user');
  return {
    userId: str(u.userId, 'userId'),
    isOnline: bool(u.isOnline, 'isOnline'),
    deviceTypes: list(u.deviceTypes, 'deviceTypes', (type) => str(type, 'deviceType')),
    lastSeenMs: int(u.lastSeenMs, 'lastSeenMs'),
  };
}

/** @type {(value: any) => ImSenderSignal} */
function readSenderSignal(value) {
  const s = object(value, 'sender');
  return {
    conversationId: str(s.conversationId, 'conversationId'),
    roomId: str(s.roomId, 'roomId'),
    senderId: str(s.senderId, 'senderId'),
    senderDeviceId: str(s.senderDeviceId, 'senderDeviceId'),
    type: str(s.type, 'type'),
    data: str(s.data, 'data'),
    timeMs: int(s.timeMs, 'timeMs'),
  };
}

// ------------------------------------------------------------------------------------------------ cursors

/**
 * What one event does to the cursors.
 * @typedef {{kind: 'inbox', seq: number, starts: {id: string, seq: number} | null, ends: {id: string, seq: number} | null}
 *   | {kind: 'conversation', id: string, seq: number}
 *   | {kind: 'reset', cursors: ImCursors}} Step
 */

/**
 * How far one reader is: one position in the inbox and one in each conversation with fan-out on read.
 *
 *   inbox:         … join(5) …………………… leave(12) …… join(20) …
 *   conversation:        6 7 8 … 10 11 |  skip 12–20   21 22 …
 *
 * The two are not ordered against each other. A leave may overtake entries of the conversation's own timeline, so the
 * cursor stays until 11 was received (lastSeq); a join that comes before that keeps the cursor, because the server
 * says what it skips. A leave or a join that the cursor has already passed changes nothing, and neither does a leave after
 * a switch to WRITE: the timeline had ended with the switch.
 */
class Cursors {
  userId = '';
  generation = '';
  inboxSeq = 0;
  /** @type {Map<string, ImConversationCursor>} */
  conversations = new Map();

  /** @param {ImCursors | null} saved */
  load(saved) {
    this.userId = saved?.userId ?? '';
    this.generation = saved?.generation ?? '';
    this.inboxSeq = saved?.inboxSeq ?? 0;
    this.conversations = new Map((saved?.conversations ?? []).map((c) => [c.conversationId, structuredClone(c)]));
  }

  /** @returns {ImCursors} */
  save() {
    return {
      userId: this.userId,
      generation: this.generation,
      inboxSeq: this.inboxSeq,
      conversations: [...this.conversations.values()].map((c) => structuredClone(c)),
    };
  }

  /** @param {Step} step */
  advance(step) {
    if (step.kind === 'reset') {
      this.load(step.cursors);
    } else if (step.kind === 'inbox') {
      this.inboxSeq = step.seq;
      if (step.ends) this.#end(step.ends.id, step.ends.seq);
      if (step.starts) this.#start(step.starts.id, step.starts.seq);
    } else {
      const { id, seq } = step;
      const lastSeq = this.conversations.get(id)?.lastSeq;
      // Beyond the last entry = the server skipped on to a later stay.
      if (seq === lastSeq) this.conversations.delete(id);
      else this.conversations.set(id, { conversationId: id, seq, ...(lastSeq !== undefined && seq < lastSeq ? { lastSeq } : {}) });
    }
  }

  /** @param {string} id @param {number} seq */
  #start(id, seq) {
    const cursor = this.conversations.get(id);
    if (cursor) delete cursor.lastSeq;
    else this.conversations.set(id, { conversationId: id, seq });
  }

  /** @param {string} id @param {number} seq */
  #end(id, seq) {
    const cursor = this.conversations.get(id);
    if (!cursor || cursor.lastSeq !== undefined || cursor.seq >= seq) return; // none, ended before, or one of a later stay
    if (cursor.seq === seq - 1) this.conversations.delete(id);
    else cursor.lastSeq = seq - 1;
  }
}

/**
 * Where a conversation's own timeline starts or ends for this user; entries that come through the inbox say so.
 * @param {ImEntry} entry @param {string} me @returns {'starts' | 'ends' | null}
 */
function boundary(entry, me) {
  const joined =
    entry.groupCreated?.members.includes(me) ? entry.groupCreated.group
    : entry.membersChanged?.added.includes(me) ? entry.membersChanged.group
    : null;
  if (joined?.fanout === 'READ' || entry.fanoutChanged?.fanout === 'READ') return 'starts';
  if (entry.membersChanged?.removed.includes(me) || entry.groupDissolved || entry.fanoutChanged?.fanout === 'WRITE') return 'ends';
  return null;
}

/**
 * How far a room was received, in one epoch. `received` is null until the first message: before it anything up to the head is a replay.
 * @typedef {{received: number | null, head: number}} RoomCursor
 */

/** A room that the application is in, over reconnects. */
class Room {
  /** @param {Record<string, any>} request What the application asked for. @param {ImRoomState} state What the server answered. */
  constructor(request, state) {
    this.request = request;
    this.epoch = state.epoch;
    /** @type {Record<ImRoomPriority, RoomCursor>} */
    this.cursors = { NORMAL: { received: null, head: state.heads.NORMAL }, HIGH: { received: null, head: state.heads.HIGH } };
  }

  /** It counts from 1 again. @param {string} epoch */
  enter(epoch) {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.cursors = { NORMAL: { received: 0, head: 0 }, HIGH: { received: 0, head: 0 } };
  }

  /** How to subscribe again: what follows on what was received, or all that is kept where the room counts anew. */
  again() {
    const { roomId, replayMessages, replayMs } = this.request;
    const { NORMAL, HIGH } = this.cursors;
    if (NORMAL.received === null && HIGH.received === null && (replayMessages || replayMs)) return { roomId, replayMessages, replayMs }; // not even the replay has come
    const cursor = (/** @type {ImRoomPriority} */ priority, /** @type {RoomCursor} */ c) => ({ priority, roomSeq: String(c.received ?? c.head) });
    return { roomId, epoch: this.epoch, cursors: [cursor('NORMAL', NORMAL), cursor('HIGH', HIGH)], replayMessages: ALL_THAT_IS_KEPT };
  }
}

// ------------------------------------------------------------------------------------------------ the client

/**
 * A request that waits for its reply, over as many connections as that takes.
 * @typedef {object} Request
 * @property {number} order
 * @property {Record<string, any>} packet
 * @property {string} reply
 * @property {boolean} resend
 * @property {string} target What keeps its order: the same target's later sends wait while this one is retried.
 * @property {string | undefined} clientMessageId
 * @property {number} requestId Of its last packet; each packet has its own.
 * @property {number} notBefore
 * @property {number} tries
 * @property {ImError | null} lastError
 * @property {any} timer
 * @property {(value: any) => void} resolve
 * @property {(error: ImError) => void} reject
 */

/**
 * One socket and what belongs to it alone.
 * @typedef {object} Link
 * @property {any} socket
 * @property {boolean} signedIn
 * @property {number} signInId
 * @property {string} token
 * @property {number} connectedAt
 * @property {number} clockOffsetMs The server's clock minus this one's.
 * @property {boolean} deaf The buffer is full: requests go on, pushes are left on the server.
 * @property {number} maxFrameBytes
 * @property {Map<number, Request>} inFlight
 * @property {ImError | null} refusal
 * @property {{generation: string, conversations: ImConversationState[]} | null} snapshot
 * @property {{push: any, size: number}[]} held
 * @property {any} deadline
 * @property {any} pingTimer
 * @property {any} pongTimer
 * @property {any} refreshTimer
 */

/** @typedef {{event: ImEvent | null, step: Step | null, size: number}} Item Without an event it only moves a cursor, in its turn. */

/**
 * A signed-in device that keeps itself connected.
 *
 *   connect() -> connecting -> connected -> waiting -> connecting -> …      close() or a final refusal -> closed
 *
 * Fires `statechange` (a CustomEvent whose detail is an {@link ImStateChange}).
 */
export class ImClient extends EventTarget {
  /** @type {ImClientOptions & typeof DEFAULTS} */
  #options;
  /** @type {ImHooks} */
  #hooks;
  #WebSocket;
  /** What is left of them; `#at` is the one of this connection or the next attempt. @type {string[]} */
  #urls;
  #at = 0;
  /** @type {string | (() => string | Promise<string>) | undefined} */
  #token;
  /** @type {ImCursorStore} */
  #store;

  /** @type {ImState} */
  #state = 'closed';
  /** @type {number | null} */
  #nextAttemptAt = null;
  /** @type {ImError | null} */
  #closeReason = null;
  #userId = '';
  #ended = false;
  /** @type {Promise<void> | null} */
  #connected = null;
  /** @type {{resolve: () => void, reject: (error: ImError) => void} | null} */
  #connecting = null;

  /** @type {Link | null} */
  #link = null;
  #attempts = 0;
  #lastDelay = 0;
  #notBefore = 0;
  #reconnectTimer = null;
  #behind = false;
  #lastRequestId = 0;
  // A sign-in that was given up and arrives late does not replace a later one of the same instance.
  #instanceId = randomId();
  #lastAttempt = 0;

  #lastOrder = 0;
  /** All requests without a reply, in the order in which they were made. @type {Set<Request>} */
  #pending = new Set();
  /** Those of them that are not on the wire, in the same order. @type {Request[]} */
  #unsent = [];
  #unsentTimer = null;

  /** The rooms that the application is in. @type {Map<string, Room>} */
  #rooms = new Map();
  /** Subscriptions that this client has made by itself after a reconnect. */
  #askedAgain = new WeakSet();

  #loaded = false;
  /** The server knew the cursors no more; a second time before it takes new ones is the end. */
  #startedAnew = false;
  #received = new Cursors();
  #consumed = new Cursors();
  /** @type {Item[]} */
  #buffer = [];
  #bufferedChars = 0;
  #reading = false;
  /** What the application is handling right now. @type {Item | null} */
  #inHand = null;
  /** @type {(() => void) | null} */
  #wakeReader = null;
  /** @type {(() => void) | null} */
  #wakeRetry = null;

  #unflushed = 0;
  #flushTimer = null;
  #saveWanted = false;
  /** @type {Promise<void> | null} */
  #saving = null;
  /** Whose presence is subscribed to, over reconnects. */
  #presence = { users: new Set(), conversations: new Set() };

  #ackInbox = false;
  /** @type {Map<string, number>} */
  #ackConversations = new Map();

  /** @param {ImClientOptions} options */
  constructor(options) {
    super();
    if (!options?.url) throw new TypeError("url is missing: new ImClient({ url: 'wss://example.com/im', deviceId })");
    this.#urls = readUrls(options.url);
    checkOptions(options);
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    if (!this.#WebSocket) throw new TypeError('there is no global WebSocket here: hand one in, new ImClient({ WebSocket, … })');
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    this.#options = /** @type {any} */ ({ ...DEFAULTS, ...given });
    this.#token = options.token;
    this.#store = options.cursorStore ?? memoryCursorStore();
    this.#hooks = {
      setTimeout: (callback, ms) => globalThis.setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS)),
      clearTimeout: (timer) => globalThis.clearTimeout(timer),
      now: () => Date.now(),
      random: () => Math.random(),
      onlineTarget: typeof window === 'undefined' ? null : window,
      ...options.hooks,
    };
  }

  /** Where the connection stands; before `connect` it is closed. @returns {ImState} */
  get state() { return this.#state; }
  /** While waiting: when the next attempt is due (unix ms); null = when the handler has caught up. @returns {number | null} */
  get nextAttemptAt() { return this.#nextAttemptAt; }
  /** Why the client is closed for good, else null. @returns {ImError | null} */
  get closeReason() { return this.#closeReason; }
  /** The signed-in user; empty before the first sign-in. @returns {string} */
  get userId() { return this.#userId; }
  /** The server of this connection or attempt; while waiting, of the next attempt. @returns {string} */
  get url() { return this.#urls[this.#at]; }
  /** @returns {string} */
  get deviceId() { return this.#options.deviceId; }

  /**
   * Starts. Resolves when signed in for the first time; from then on the client keeps itself connected until `close` or a final close code. Rejects with an
   * ImError if the server refuses for good, no address can be used, or `close` is called. While no server can be reached it stays pending: `statechange` tells.
   * @returns {Promise<void>}
   */
  connect() {
    if (this.#connected) return this.#connected;
    this.#connected = new Promise((resolve, reject) => {
      if (this.#ended) reject(this.#closeReason);
      else this.#connecting = { resolve, reject };
    });
    if (this.#ended) return this.#connected;
    this.#hooks.onlineTarget?.addEventListener('online', this.#onOnline);
    if (this.#options.onEvent) void this.#deliver(this.#options.onEvent);
    this.#open();
    return this.#connected;
  }

  /**
   * Ends the client: requests without a reply reject, the cursors of what was handled are saved.
   * @returns {Promise<void>} Resolves when they are.
   */
  async close() {
    if (!this.#ended) {
      this.#sendDeviceAck();
      this.#buffer = this.#buffer.filter((item) => item === this.#inHand); // that one may still be finished, nothing else is begun
      this.#finish(new ImError(0, 'closed', 'The client was closed.'));
    }
    if (this.#unflushed > 0 || this.#flushTimer !== null || this.#saving) await this.#flush();
  }

  /**
   * Only here for its type: `statechange` carries an {@link ImStateChange}.
   * @override
   * @param {string} type
   * @param {((event: CustomEvent<ImStateChange>) => void) | {handleEvent(event: CustomEvent<ImStateChange>): void} | null} listener
   * @param {boolean | {capture?: boolean, once?: boolean, passive?: boolean, signal?: AbortSignal}} [options]
   */
  addEventListener(type, listener, options) {
    super.addEventListener(type, /** @type {any} */ (listener), options);
  }

  // ---------------------------------------------------------------------------------------------- requests

  /**
   * Sends a message. It is sent again with the same id until the server has answered or `requestTimeoutMs` is over.
   * @param {ImTarget} target `{ to: userId }` or `{ conversationId }`.
   * @param {ImContentInput} content
   * @param {{clientMessageId?: string, nonPersistent?: boolean}} [options] A non-persistent message is never sent again, and fails at once while not connected.
   * @returns {Promise<ImSendAck>}
   */
  async send(target, content, options = {}) {
    const to = /** @type {any} */ (target);
    if (!to || (typeof to.to === 'string') === (typeof to.conversationId === 'string')) {
      throw new TypeError('the target is { to: userId } or { conversationId }');
    }
    const clientMessageId = options.clientMessageId ?? randomId();
    const packet = {
      send: {
        clientMessageId,
        ...(typeof to.to === 'string' ? { userId: to.to } : { conversationId: to.conversationId }),
        content: writeContent(content),
        ...(options.nonPersistent ? { nonPersistent: true } : {}),
      },
    };
    const key = typeof to.to === 'string' ? `u ${to.to}` : `c ${to.conversationId}`;
    return this.#request(packet, 'sendAck', { target: key, clientMessageId, resend: !options.nonPersistent });
  }

  /**
   * Reads a page of a conversation, oldest entry first. Nothing given = the newest entries.
   * @param {string} conversationId
   * @param {{before?: number, after?: number, limit?: number}} [position] The entries just before, or just after, this conversation seq.
   * @returns {Promise<ImHistoryPage>}
   */
  async history(conversationId, { before, after, limit } = {}) {
    if (before !== undefined && after !== undefined) throw new TypeError('give before or after, not both');
    const position = after !== undefined ? { afterConversationSeq: String(after) } : { beforeConversationSeq: String(before ?? 0) };
    return this.#request({ sync: { conversation: { conversationId, ...position }, ...(limit ? { maxEntries: limit } : {}) } }, 'syncPage');
  }

  /**
   * Moves the user's read mark of a conversation, for all devices. It never moves back.
   * @param {string} conversationId
   * @param {number} seq
   * @returns {Promise<{conversationId: string, conversationSeq: number}>} The mark as it stands now.
   */
  async markRead(conversationId, seq) {
    return this.#request({ markRead: { conversationId, conversationSeq: String(seq) } }, 'markedRead');
  }

  /**
   * Subscribes to a room: its messages come as `roomMessage` events, what is missing as `roomGap`. The client stays in the room until `leaveRoom`: after a
   * reconnect it subscribes again from where it was, and gets what the room has kept since. Subscribing again replaces the subscription.
   * @param {string} roomId
   * @param {{leaveOthers?: boolean, replayMessages?: number, replayMs?: number}} [options] Leave all other rooms in the same step; begin with so many of the
   *   newest messages of each priority that are kept, or those not older than this.
   * @returns {Promise<ImRoomState>}
   */
  async subscribeRoom(roomId, { leaveOthers = false, replayMessages = 0, replayMs = 0 } = {}) {
    const subscribeRoom = {
      roomId,
      ...(leaveOthers ? { leaveOthers } : {}),
      ...(replayMessages > 0 ? { replayMessages } : {}),
      ...(replayMs > 0 ? { replayMs: String(replayMs) } : {}),
    };
    return this.#request({ subscribeRoom }, 'roomSubscribed');
  }

  /**
   * Leaves a room. What is in the buffer already still comes.
   * @param {string} roomId
   * @returns {Promise<void>}
   */
  async leaveRoom(roomId) {
    this.#rooms.delete(roomId);
    await this.#request({ leaveRoom: { roomId } }, 'roomLeft');
  }

  /**
   * Sends a message to who is in a room now. It is sent at once or fails, and is never sent again: rooms do not deduplicate.
   * @param {string} roomId
   * @param {ImContentInput} content
   * @param {{priority?: ImRoomPriority, clientMessageId?: string}} [options] HIGH overtakes normal messages that wait for a subscriber.
   * @returns {Promise<{roomId: string, priority: ImRoomPriority, seq: number, timeMs: number}>}
   */
  async sendToRoom(roomId, content, { priority = 'NORMAL', clientMessageId = randomId() } = {}) {
    if (priority !== 'NORMAL' && priority !== 'HIGH') throw new TypeError("the priority is 'NORMAL' or 'HIGH'"); // the server would close the connection
    return this.#request({ sendToRoom: { roomId, priority, clientMessageId, content: writeContent(content) } }, 'roomSent', { clientMessageId, resend: false });
  }

  /**
   * Hands the server a newer token for the same user; later sign-ins use it too. A token function is asked by itself
   * before the token expires.
   * @param {string} [token] Left out where `token` is a function.
   * @returns {Promise<{tokenExpiresAtMs: number}>}
   */
  async refreshToken(token) {
    if (token !== undefined && typeof this.#token !== 'function') this.#token = token;
    const newer = token ?? await this.#askToken();
    const refreshed = await this.#request({ refreshToken: { token: newer } }, 'tokenRefreshed');
    if (this.#link?.signedIn) this.#scheduleRefresh(this.#link, refreshed.tokenExpiresAtMs);
    return refreshed;
  }

  // ---------------------------------------------------------------------------------------------- presence and signals

  /**
   * Subscribes to the presence of users, or of a conversation's members; adds to what is subscribed already. Changes come as `presence` events. After a
   * reconnect the client subscribes again by itself, and a `presence` event has the states as they are then.
   * @param {{userIds: string[]} | {conversationId: string}} target
   * @returns {Promise<{users: ImUserPresence[], isPartial: boolean}>} The states now, of those who may be seen; partial = only some of those online.
   */
  async subscribePresence(target) {
    const { userIds, conversationId } = /** @type {any} */ (target) ?? {};
    if (Array.isArray(userIds) === (typeof conversationId === 'string')) throw new TypeError('the target is { userIds } or { conversationId }');
    const subscribePresence = conversationId === undefined ? { userIds } : { conversationId };
    const answer = await this.#request({ subscribePresence }, 'presenceSubscribed');
    if (conversationId !== undefined) this.#presence.conversations.add(conversationId);
    else for (const user of answer.users) this.#presence.users.add(user.userId);
    return answer;
  }

  /**
   * Ends subscriptions to presence; all, where nothing is given.
   * @param {{userIds?: string[], conversationId?: string}} [target]
   * @returns {Promise<void>}
   */
  async unsubscribePresence({ userIds = [], conversationId } = {}) {
    const { users, conversations } = this.#presence;
    if (userIds.length === 0 && conversationId === undefined) {
      users.clear();
      conversations.clear();
    }
    for (const userId of userIds) users.delete(userId);
    conversations.delete(conversationId);
    const unsubscribePresence = { ...(userIds.length > 0 ? { userIds } : {}), ...(conversationId !== undefined ? { conversationId } : {}) };
    await this.#request({ unsubscribePresence }, 'presenceUnsubscribed');
  }

  /**
   * Sends a signal, for example `typing`, to who is online in a conversation or subscribes to a room. At most once: never sent again, and fails at once
   * while not connected.
   * @param {ImTarget | {roomId: string}} target
   * @param {string} type 1 to 64 bytes.
   * @param {string} [data] The application's own, at most 1 KiB.
   * @returns {Promise<boolean>} false = it was too much, and the server dropped it.
   */
  async sendSignal(target, type, data = '') {
    const { to, conversationId, roomId } = /** @type {any} */ (target) ?? {};
    if ([to, conversationId, roomId].filter((id) => typeof id === 'string').length !== 1) {
      throw new TypeError('the target is { to: userId }, { conversationId } or { roomId }');
    }
    const place = to !== undefined ? { userId: to } : conversationId !== undefined ? { conversationId } : { roomId };
    return this.#request({ sendSignal: { ...place, type, ...(data ? { data } : {}) } }, 'signalSent', { resend: false });
  }

  #resubscribePresence() {
    const { users, conversations } = this.#presence;
    if (users.size > 0) this.#resubscribe({ userIds: [...users] });
    for (const conversationId of conversations) this.#resubscribe({ conversationId });
  }

  /** @param {{userIds?: string[], conversationId?: string}} target */
  #resubscribe(target) {
    const link = this.#link;
    const { users, conversations } = this.#presence;
    this.#request({ subscribePresence: target }, 'presenceSubscribed', { resend: false }).then(
      (answer) => { if (link && this.#link === link && answer.users.length > 0) this.#onPresence(link, answer.users, 0); },
      (error) => {
        if (this.#link !== link || !link?.signedIn || error.code === 0) return; // the next connection subscribes again
        if (RETRYABLE.has(error.code)) {
          this.#hooks.setTimeout(() => {
            const left = target.conversationId === undefined ? [...users] : [];
            if (this.#link !== link || !link.signedIn) return;
            if (left.length > 0) this.#resubscribe({ userIds: left });
            else if (conversations.has(target.conversationId)) this.#resubscribe(target);
          }, this.#options.retryMaxMs);
          return;
        }
        for (const userId of target.userIds ?? []) users.delete(userId);
        conversations.delete(target.conversationId);
        this.#push({ event: { type: 'presenceEnded', conversationId: target.conversationId ?? null, error }, step: null, size: 0 });
      },
    );
  }

  /**
   * @param {Record<string, any>} packet @param {string} reply
   * @param {{target?: string, clientMessageId?: string, resend?: boolean}} [options]
   * @returns {Promise<any>}
   */
  #request(packet, reply, { target = '', clientMessageId, resend = true } = {}) {
    return new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ reason, /** @type {string} */ message) => reject(new ImError(0, reason, message, clientMessageId));
      if (this.#ended) return fail('closed', `The client is closed (${this.#closeReason?.reason}): make a new ImClient.`);
      if (this.#pending.size >= this.#options.maxPending) {
        return fail('too_many_pending', `${this.#pending.size} requests wait for their reply, as many as maxPending allows: await some of them first.`);
      }
      if (!resend && !this.#link?.signedIn) {
        return fail('not_connected', `This is sent at once or not at all, and the client is not connected (${this.#connected ? this.#state : 'connect() was not called'}).`);
      }
      /** @type {Request} */
      const request = {
        order: ++this.#lastOrder, packet, reply, resend, target, clientMessageId,
        requestId: 0, notBefore: 0, tries: 0, lastError: null, timer: null, resolve, reject,
      };
      this.#pending.add(request);
      if (this.#options.requestTimeoutMs > 0) {
        request.timer = this.#hooks.setTimeout(() => {
          const why = !this.#connected ? 'connect() was not called' : this.#link?.signedIn ? 'the server did not answer' : 'there is no connection';
          this.#settle(request, request.lastError ?? new ImError(0, 'timeout', `Not done within requestTimeoutMs (${this.#options.requestTimeoutMs} ms): ${why}.`, clientMessageId));
        }, this.#options.requestTimeoutMs);
      }
      this.#unsent.push(request);
      if (this.#behind && this.#state === 'waiting' && this.#nextAttemptAt === null) this.#waitFor(0, 'behind');
      this.#transmit();
    });
  }

  /** Ends a request. @param {Request} request @param {ImError | null} error @param {any} [value] */
  #settle(request, error, value) {
    if (!this.#pending.delete(request)) return;
    this.#hooks.clearTimeout(request.timer);
    this.#link?.inFlight.delete(request.requestId);
    const at = this.#unsent.indexOf(request);
    if (at >= 0) this.#unsent.splice(at, 1);
    if (error) request.reject(error);
    else request.resolve(value);
    if (at >= 0 && this.#unsent.length > 0) this.#transmit(); // it may have held back others
  }

  /**
   * Puts on the wire what may go, in order. A request that waits for its retry holds back the later ones of its
   * target; one that was rate limited holds back all.
   */
  #transmit() {
    const link = this.#link;
    this.#hooks.clearTimeout(this.#unsentTimer);
    if (!link?.signedIn || this.#unsent.length === 0) return;
    const now = this.#hooks.now();
    /** @type {Set<string>} */
    const heldBack = new Set();
    /** @type {Request[]} */
    const waiting = [];
    /** @type {Request[]} */
    const tooLarge = [];
    let all = false;
    let next = Infinity;
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const request of unsent) {
      if (!all && request.notBefore <= now && !heldBack.has(request.target)) {
        if (!this.#write(link, request)) tooLarge.push(request);
        continue;
      }
      waiting.push(request);
      if (request.notBefore > now) next = Math.min(next, request.notBefore);
      if (request.target) heldBack.add(request.target);
      if (request.notBefore > now && request.lastError?.code === CODE.rateLimited) all = true;
    }
    this.#unsent = waiting;
    if (next < Infinity) this.#unsentTimer = this.#hooks.setTimeout(() => this.#transmit(), next - now);
    for (const request of tooLarge) {
      this.#settle(request, new ImError(CODE.bodyTooLarge, 'body_too_large', `The packet is larger than the server's ${link.maxFrameBytes} bytes.`, request.clientMessageId));
    }
  }

  /** @param {Link} link @param {Request} request @returns {boolean} false = larger than the server takes, which would end the session. */
  #write(link, request) {
    const requestId = this.#nextRequestId();
    const text = JSON.stringify({ requestId, ...request.packet });
    if (link.maxFrameBytes > 0 && text.length * 3 > link.maxFrameBytes && new TextEncoder().encode(text).length > link.maxFrameBytes) return false;
    request.requestId = requestId;
    link.inFlight.set(requestId, request);
    put(link, text);
    return true;
  }

  #nextRequestId() {
    this.#lastRequestId = this.#lastRequestId >= 0xffffffff ? 1 : this.#lastRequestId + 1;
    return this.#lastRequestId;
  }

  /** @param {Link} link @param {number} requestId @param {ImError} error */
  #onError(link, requestId, error) {
    if (!link.signedIn && requestId === link.signInId) return this.#onRefused(link, error);
    const request = link.inFlight.get(requestId);
    if (!request) return; // an answer to a ping or an ack, or one that came after the timeout
    link.inFlight.delete(requestId);
    error.clientMessageId = request.clientMessageId;
    if (!RETRYABLE.has(error.code) || !request.resend) return this.#settle(request, error);
    request.lastError = error;
    const ceiling = Math.min(this.#options.retryMaxMs, this.#options.retryBaseMs * 2 ** request.tries++);
    request.notBefore = this.#hooks.now() + ceiling / 2 + (this.#hooks.random() * ceiling) / 2;
    const at = this.#unsent.findIndex((other) => other.order > request.order);
    this.#unsent.splice(at < 0 ? this.#unsent.length : at, 0, request);
    this.#transmit();
  }

  // ---------------------------------------------------------------------------------------------- the connection

  /** @param {ImState} state @param {{nextAttemptAt?: number | null, reason?: string | null, error?: ImError | null}} [detail] */
  #setState(state, { nextAttemptAt = null, reason = null, error = null } = {}) {
    const previous = this.#state;
    this.#state = state;
    this.#nextAttemptAt = nextAttemptAt;
    this.dispatchEvent(new CustomEvent('statechange', { detail: { state, previous, nextAttemptAt, reason, error } }));
  }

  #open() {
    this.#hooks.clearTimeout(this.#reconnectTimer);
    /** @type {Link} */
    const link = {
      socket: null, signedIn: false, signInId: 0, token: '', connectedAt: 0, clockOffsetMs: 0, deaf: this.#behind, maxFrameBytes: 0,
      inFlight: new Map(), refusal: null, snapshot: null, held: [], deadline: null, pingTimer: null, pongTimer: null, refreshTimer: null,
    };
    this.#link = link;
    link.deadline = this.#hooks.setTimeout(() => this.#lost(link, 0, 'connect_timeout'), this.#options.connectTimeoutMs);
    this.#setState('connecting');
    this.#start(link).catch((error) => {
      if (this.#link !== link) return;
      this.#report(error);
      this.#lost(link, 0, 'not_ready');
    });
  }

  /** @param {Link} link */
  async #start(link) {
    if (!this.#loaded) {
      const saved = await this.#store.load();
      if (this.#link !== link) return;
      const usable = isCursors(saved) ? saved : null;
      this.#received.load(usable);
      this.#consumed.load(usable);
      this.#loaded = true;
    }
    link.token = await this.#askToken();
    if (this.#link !== link) return;
    const socket = this.#makeSocket(link);
    if (!socket) return;
    link.socket = socket;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      if (this.#link === link) this.#signIn(link);
    };
    socket.onmessage = (/** @type {any} */ event) => this.#link === link && this.#receive(link, event.data);
    socket.onclose = (/** @type {any} */ event) => this.#lost(link, event.code || 1006, event.reason || 'connection_lost');
    // A close follows, but not in every WebSocket class where no connection came about.
    socket.onerror = () => wasOpen || this.#lost(link, 1006, 'connection_lost');
  }

  async #askToken() {
    const token = (typeof this.#token === 'function' ? await this.#token() : this.#token) ?? '';
    if (typeof token !== 'string') throw new TypeError(`the token function gave ${kindOf(token)}: it gives a string, or a promise of one`);
    return token;
  }

  /** Leaves out an address that no WebSocket takes: trying it again would not help, the others may. @param {Link} link */
  #makeSocket(link) {
    while (this.#link === link) {
      const url = this.url;
      try {
        return new this.#WebSocket(absolute(url), [SUBPROTOCOL]);
      } catch (error) {
        const hint = isPath(url) && typeof location === 'undefined' ? ' Outside a browser a path says no server: give the whole address, wss://example.com/im.' : '';
        const refused = new ImError(0, 'bad_url', `A WebSocket to ${url} cannot be made: ${error}.${hint}`);
        if (this.#urls.length === 1) this.#finish(refused);
        else {
          this.#urls.splice(this.#at, 1);
          this.#at %= this.#urls.length;
          this.#report(refused);
        }
      }
    }
    return null;
  }

  /** @param {Link} link */
  #signIn(link) {
    // Absent in WebSocket classes that do not tell; empty = the other end speaks something else.
    if (link.socket.protocol !== undefined && link.socket.protocol !== SUBPROTOCOL) return this.#lost(link, 0, 'no_subprotocol');
    const { deviceId, device } = this.#options;
    const cursors = this.#received;
    link.signInId = this.#nextRequestId();
    put(link, JSON.stringify({
      requestId: link.signInId,
      signIn: {
        ...(link.token ? { token: link.token } : {}),
        deviceId,
        instanceId: this.#instanceId,
        attempt: ++this.#lastAttempt,
        ...(device ? { device } : {}),
        ...(cursors.generation
          ? {
              generation: cursors.generation,
              inboxCursor: String(cursors.inboxSeq),
              conversationCursors: [...cursors.conversations.values()].map(cursorJson),
            }
          : {}),
      },
    }));
  }

  /** @param {Link} link @param {any} data */
  #receive(link, data) {
    this.#hooks.clearTimeout(link.pongTimer);
    link.pongTimer = null;
    try {
      if (typeof data !== 'string') throw new ProtocolViolation('a message that is not text');
      this.#dispatch(link, object(JSON.parse(data), 'packet'), data.length);
    } catch (error) {
      if (!(error instanceof ProtocolViolation || error instanceof SyntaxError)) throw error;
      this.#report(error);
      this.#lost(link, 0, 'protocol_violation');
    }
  }

  /** @param {Link} link @param {Record<string, any>} packet @param {number} size */
  #dispatch(link, packet, size) {
    const requestId = int(packet.requestId, 'requestId');
    if (packet.error) {
      const error = object(packet.error, 'error');
      return this.#onError(link, requestId, new ImError(int(error.code, 'code'), str(error.reason, 'reason'), str(error.message, 'message')));
    }
    if (packet.close) {
      const close = object(packet.close, 'close');
      return this.#lost(link, int(close.code, 'code'), str(close.reason, 'reason'), int(close.reconnectAfterMs, 'reconnectAfterMs'));
    }
    if (packet.signedIn) {
      if (link.signedIn) throw new ProtocolViolation('a second signedIn');
      return this.#onSignedIn(link, object(packet.signedIn, 'signedIn'));
    }
    if (!link.signedIn) throw new ProtocolViolation('a packet before signedIn');
    if (packet.push) return this.#onPush(link, object(packet.push, 'push'), size);
    if (packet.snapshot) return this.#onSnapshot(link, object(packet.snapshot, 'snapshot'), size);
    if (packet.presenceChanged) return this.#onPresence(link, list(object(packet.presenceChanged, 'presenceChanged').users, 'users', readPresence), size);
    if (packet.signal) return this.#onSignal(object(packet.signal, 'signal'), size);
    if (packet.roomPush) return this.#onRoomPush(link, object(packet.roomPush, 'roomPush'), size);
    if (packet.roomLeft) this.#onRoomLeft(requestId, REPLIES.roomLeft(object(packet.roomLeft, 'roomLeft')).roomId);
    const request = link.inFlight.get(requestId);
    if (!request) return; // pong, deviceAcked, a late reply, or a kind of packet that is newer than this client
    const body = packet[request.reply];
    if (body === undefined || body === null) throw new ProtocolViolation(`a reply that is no ${request.reply}`);
    const value = REPLIES[request.reply](object(body, request.reply));
    link.inFlight.delete(requestId);
    if (packet.roomSubscribed) this.#onRoomSubscribed(request.packet.subscribeRoom, value);
    this.#settle(request, null, value);
  }

  /** @param {Link} link @param {Record<string, any>} packet */
  #onSignedIn(link, packet) {
    const userId = str(packet.userId, 'userId');
    const generation = str(packet.generation, 'generation');
    const reset = bool(packet.reset, 'reset');
    const idleTimeoutMs = int(packet.idleTimeoutMs, 'idleTimeoutMs');
    const expiresAtMs = int(packet.tokenExpiresAtMs, 'tokenExpiresAtMs');
    const serverTimeMs = int(packet.serverTimeMs, 'serverTimeMs');
    if (this.#received.userId && this.#received.userId !== userId) {
      // The cursors are another user's: what follows would begin at the wrong place. Sign in again with none.
      this.#dropCursors();
      this.#rooms.clear();
      return this.#lost(link, 0, 'other_user', 0, true);
    }
    if (!reset && this.#received.generation && this.#received.generation !== generation) throw new ProtocolViolation('a new generation without a reset');

    this.#userId = userId;
    if (!reset) {
      this.#startedAnew = false; // it took the cursors
      this.#received.userId = this.#consumed.userId = userId;
      this.#received.generation = generation;
      this.#consumed.generation ||= generation;
    } else {
      link.snapshot = { generation, conversations: [] };
    }
    link.maxFrameBytes = int(packet.maxFrameBytes, 'maxFrameBytes');
    link.signedIn = true;
    link.connectedAt = this.#hooks.now();
    this.#hooks.clearTimeout(link.deadline);
    this.#schedulePing(link, idleTimeoutMs > 0 ? Math.min(this.#options.pingIntervalMs, idleTimeoutMs / 3) : this.#options.pingIntervalMs);
    link.clockOffsetMs = serverTimeMs > 0 ? serverTimeMs - link.connectedAt : 0;
    this.#scheduleRefresh(link, expiresAtMs);
    this.#setState('connected');
    if (this.#link !== link) return; // a listener closed the client
    this.#connecting?.resolve();
    this.#connecting = null;
    this.#transmit();
    this.#resubscribePresence();
    if (!link.deaf) for (const room of [...this.#rooms.values()]) void this.#subscribeAgain(link, room, 0);
  }

  /** @param {Link} link @param {number} everyMs */
  #schedulePing(link, everyMs) {
    link.pingTimer = this.#hooks.setTimeout(() => {
      this.#ping(link);
      this.#schedulePing(link, everyMs);
    }, everyMs);
  }

  /** @param {Link} link */
  #ping(link) {
    put(link, JSON.stringify({ requestId: this.#nextRequestId(), ping: {} }));
    link.pongTimer ??= this.#hooks.setTimeout(() => this.#lost(link, 0, 'ping_timeout'), this.#options.pingTimeoutMs);
  }

  /** Asks a token function early enough. @param {Link} link @param {number} expiresAtMs 0 = never. */
  #scheduleRefresh(link, expiresAtMs) {
    this.#hooks.clearTimeout(link.refreshTimer);
    const remainingMs = expiresAtMs - (this.#hooks.now() + link.clockOffsetMs);
    if (typeof this.#token !== 'function' || remainingMs <= 0) return;
    link.refreshTimer = this.#hooks.setTimeout(() => {
      this.refreshToken().catch((error) => this.#report(error)); // then the server ends the session and the next sign-in asks again
    }, remainingMs * 0.8);
  }

  /** A sign-in that was answered with an error. @param {Link} link @param {ImError} error */
  #onRefused(link, error) {
    if (error.code === CODE.cursorBeyondHead && this.#canStartAnew(link)) return this.#startAnew(link, error);
    link.refusal = error;
    if (error.code === CODE.tokenExpired && !this.#canRenew(link)) return this.#finish(error);
    // The close that follows says how long to wait; the deadline ends a wait without one.
    if (!RETRYABLE.has(error.code) && error.code !== CODE.tokenExpired) this.#finish(error);
  }

  /** Whether the next sign-in may carry another token than this one did. @param {Link} link */
  #canRenew(link) {
    return typeof this.#token === 'function' || !link.token || this.#token !== link.token;
  }

  /** Whether a sign-in was refused for its cursors and may be made without any. @param {Link} link */
  #canStartAnew(link) {
    return !link.signedIn && this.#received.generation !== '' && !this.#startedAnew;
  }

  /** The server's timelines end before the cursors, as after a restore: become a new device, which gets a reset. @param {Link} link @param {ImError} error */
  #startAnew(link, error) {
    this.#startedAnew = true;
    this.#dropCursors();
    this.#lost(link, 0, error.reason, 0, true);
    void this.#flush(); // so that a reload before the reset is a new device too
    this.#report(error);
  }

  /** What was received belongs to cursors that are not used any more. */
  #dropCursors() {
    this.#dropBuffer();
    this.#behind = false; // nothing is left to catch up with
    this.#received.load(null);
    this.#consumed.load(null);
    this.#ackInbox = false;
    this.#ackConversations.clear();
  }

  /**
   * The connection is gone, whoever ended it.
   * @param {Link} link @param {number} code 0 = this side gave it up. @param {string} reason
   * @param {number} [reconnectAfterMs] @param {boolean} [atOnce]
   */
  #lost(link, code, reason, reconnectAfterMs = 0, atOnce = false) {
    if (this.#link !== link) return;
    const expired = code === CLOSE.tokenExpired && !link.signedIn && !this.#canRenew(link);
    if (code === CLOSE.normal || code >= CLOSE.firstFinal || expired) {
      const error = link.refusal ?? new ImError(code, reason, `The server closed the connection: ${reason || code}.${HINTS.get(reason) ?? ''}`);
      return code === CLOSE.badCursor && this.#canStartAnew(link) ? this.#startAnew(link, error) : this.#finish(error);
    }
    this.#drop(link, 1000);
    // Its node may be gone: the next one goes on from the same cursors. Not where the client ended it, to go on with another connection.
    if (!atOnce && !(code === 0 && reason === 'behind')) this.#at = (this.#at + 1) % this.#urls.length;
    const now = this.#hooks.now();
    const lived = link.signedIn ? now - link.connectedAt : 0;
    if (lived > this.#lastDelay && lived >= this.#options.stableAfterMs) this.#attempts = 0;
    // Behind: the handler's progress reconnects, unless a request needs the connection before (maybe the handler awaits it).
    if (this.#behind && this.#pending.size === 0) {
      this.#lastDelay = 0;
      return this.#setState('waiting', { reason });
    }
    const ceiling = Math.min(this.#options.reconnectMaxMs, this.#options.reconnectBaseMs * 2 ** Math.min(this.#attempts++, 30));
    this.#lastDelay = reconnectAfterMs + (atOnce ? 0 : Math.floor(this.#hooks.random() * ceiling));
    this.#notBefore = now + reconnectAfterMs;
    this.#waitFor(this.#lastDelay, reason);
  }

  /** Now, or when the server allows it. @param {string} reason */
  #openSoon(reason) {
    const wait = this.#notBefore - this.#hooks.now();
    if (wait > 0) this.#waitFor(wait, reason);
    else this.#open();
  }

  /** @param {number} delay @param {string} reason */
  #waitFor(delay, reason) {
    this.#hooks.clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = this.#hooks.setTimeout(() => this.#open(), delay);
    this.#setState('waiting', { nextAttemptAt: this.#hooks.now() + delay, reason });
  }

  /** Takes the socket out of use. Requests on it go back to their place in the order. @param {Link} link @param {number} code */
  #drop(link, code) {
    this.#link = null;
    for (const timer of [link.deadline, link.pingTimer, link.pongTimer, link.refreshTimer, this.#unsentTimer]) this.#hooks.clearTimeout(timer);
    if (link.socket) {
      link.socket.onopen = link.socket.onmessage = link.socket.onclose = null;
      try {
        link.socket.close(code);
      } catch {
        // a socket that is already gone
      }
    }
    const orphans = [...link.inFlight.values()];
    link.inFlight.clear();
    this.#unsent = [...this.#unsent, ...orphans].sort((a, b) => a.order - b.order);
    for (const request of this.#unsent.filter((each) => !each.resend)) {
      this.#settle(request, new ImError(0, 'connection_lost', 'The connection was lost before the answer; the message may have been delivered.', request.clientMessageId));
    }
  }

  /** The end, once. @param {ImError} error */
  #finish(error) {
    if (this.#ended) return;
    this.#ended = true;
    this.#closeReason = error;
    this.#behind = false;
    this.#hooks.clearTimeout(this.#reconnectTimer);
    this.#hooks.onlineTarget?.removeEventListener('online', this.#onOnline);
    if (this.#link) this.#drop(this.#link, 1000);
    for (const request of [...this.#pending]) this.#settle(request, new ImError(error.code, error.reason, error.message, request.clientMessageId));
    this.#connecting?.reject(error);
    this.#connecting = null;
    this.#setState('closed', { reason: error.reason, error });
    this.#wakeReader?.();
    this.#wakeRetry?.();
  }

  #onOnline = () => {
    if (this.#link?.signedIn) return this.#ping(this.#link); // the old path may be dead: find out now
    if (this.#state !== 'waiting' || this.#behind) return;
    this.#attempts = 0;
    this.#openSoon('online');
  };

  /** @param {unknown} error */
  #report(error) {
    if (this.#options.onError) this.#options.onError(error);
    else console.error('im-client:', error);
  }

  // ---------------------------------------------------------------------------------------------- events in

  /** @param {Link} link @param {Record<string, any>} push @param {number} size */
  #onPush(link, push, size) {
    if (link.snapshot) {
      link.held.push({ push, size });
      if (link.held.length > this.#options.maxBufferedEvents) throw new ProtocolViolation('pushes without end before the snapshot is complete');
      return;
    }
    if (link.deaf) return;
    const firstInbox = int(push.firstInboxSeq, 'firstInboxSeq');
    const firstConversation = int(push.firstConversationSeq, 'firstConversationSeq');
    const id = str(push.conversationId, 'conversationId');
    const skippedThrough = int(push.skippedThrough, 'skippedThrough');
    const entries = list(push.entries, 'entries', readEntry);
    if (firstInbox > 0 === firstConversation > 0 || (firstConversation > 0 && !id)) throw new ProtocolViolation('a push of no timeline');
    if (skippedThrough > 0) {
      if (firstInbox > 0 || entries.length > 0) throw new ProtocolViolation('a skip of the inbox, or with entries');
      this.#onSkip(id, firstConversation, skippedThrough, size);
    }
    const each = Math.ceil(size / Math.max(1, entries.length));
    for (let i = 0; i < entries.length; i++) {
      if (firstInbox > 0) this.#onInboxEntry(firstInbox + i, entries[i], each);
      else this.#onConversationEntry(id, firstConversation + i, entries[i], each);
    }
    this.#restIfFull(link);
  }

  /** @param {number} seq @param {ImEntry} entry @param {number} size */
  #onInboxEntry(seq, entry, size) {
    const cursor = this.#received.inboxSeq;
    if (seq <= cursor) return;
    if (seq > cursor + 1) throw new ProtocolViolation(`inbox entry ${seq} after ${cursor}`);
    const at = boundary(entry, this.#userId);
    const place = { id: entry.conversationId, seq: entry.conversationSeq };
    /** @type {Step} */
    const step = { kind: 'inbox', seq, starts: at === 'starts' ? place : null, ends: at === 'ends' ? place : null };
    this.#push({ event: { type: 'entry', timeline: INBOX, seq, entry }, step, size });
  }

  /** @param {string} id @param {number} seq @param {ImEntry} entry @param {number} size */
  #onConversationEntry(id, seq, entry, size) {
    entry.conversationId ||= id;
    entry.conversationSeq ||= seq;
    if (entry.conversationId !== id || entry.conversationSeq !== seq) throw new ProtocolViolation(`another entry at ${seq} of ${id}`);
    const cursor = this.#received.conversations.get(id)?.seq ?? seq - 1;
    if (seq <= cursor) return;
    if (seq > cursor + 1) throw new ProtocolViolation(`entry ${seq} of ${id} after ${cursor}`);
    this.#push({ event: { type: 'entry', timeline: id, seq, entry }, step: { kind: 'conversation', id, seq }, size });
  }

  /** Entries that do not come through the conversation's own timeline. @param {string} id @param {number} first @param {number} through @param {number} size */
  #onSkip(id, first, through, size) {
    const cursor = this.#received.conversations.get(id)?.seq ?? first - 1;
    if (through <= cursor) return;
    if (first > cursor + 1) throw new ProtocolViolation(`a skip from ${first} of ${id} after ${cursor}`);
    this.#push({ event: null, step: { kind: 'conversation', id, seq: through }, size });
  }

  /** @param {Link} link @param {Record<string, any>} packet @param {number} size */
  #onSnapshot(link, packet, size) {
    const snapshot = link.snapshot;
    if (!snapshot) throw new ProtocolViolation('a snapshot without a reset');
    snapshot.conversations.push(...list(packet.conversations, 'conversations', readConversation));
    if (bool(packet.hasMore, 'hasMore')) return;
    const inboxSeq = int(packet.inboxSeq, 'inboxSeq');
    const { generation, conversations } = snapshot;
    link.snapshot = null;
    const ofRooms = this.#buffer.filter((item) => item !== this.#inHand && ROOM_EVENTS.has(item.event?.type ?? '')); // rooms do not begin anew
    this.#dropBuffer();
    this.#behind = link.deaf = false; // nothing after this snapshot was left out
    /** @type {ImCursors} */
    const cursors = {
      userId: this.#userId,
      generation,
      inboxSeq,
      conversations: conversations.filter((c) => c.fanout === 'READ').map((c) => ({ conversationId: c.conversationId, seq: c.head })),
    };
    this.#push({ event: { type: 'reset', generation, inboxSeq, conversations }, step: { kind: 'reset', cursors }, size });
    for (const item of ofRooms) this.#push(item);
    for (const { push, size } of link.held.splice(0)) if (this.#link === link) this.#onPush(link, push, size);
  }

  /** @param {Record<string, any>} packet @param {number} size */
  #onSignal(packet, size) {
    if (this.#behind || this.#buffer.length >= this.#options.maxBufferedEvents) return; // at most once: it makes no room for itself
    const message = packet.message === undefined || packet.message === null ? null : readEntry(packet.message);
    const sender = packet.sender === undefined || packet.sender === null ? null : readSenderSignal(packet.sender);
    this.#push({ event: { type: 'signal', message, sender }, step: null, size });
  }

  /** @param {Link} link @param {ImUserPresence[]} users @param {number} size */
  #onPresence(link, users, size) {
    if (link.deaf || this.#behind) return; // the next connection is told all states
    this.#push({ event: { type: 'presence', users }, step: null, size });
    this.#restIfFull(link);
  }

  /** A browser's socket cannot be paused. What is not received stays on the server, and the cursors know where. @param {Link} link */
  #restIfFull(link) {
    if (this.#buffer.length <= this.#options.maxBufferedEvents && this.#bufferedChars <= this.#options.maxBufferedChars) return;
    this.#behind = true;
    this.#lost(link, 0, 'behind');
  }

  // ---------------------------------------------------------------------------------------------- rooms

  /** @param {Record<string, any>} asked @param {ImRoomState} state */
  #onRoomSubscribed(asked, state) {
    if (this.#askedAgain.has(asked)) return this.#rooms.get(asked.roomId)?.enter(state.epoch);
    if (asked.leaveOthers) this.#rooms.clear();
    this.#rooms.set(asked.roomId, new Room(asked, state));
  }

  /** @param {Link} link @param {Room} room @param {number} tries */
  async #subscribeAgain(link, room, tries) {
    const roomId = room.request.roomId;
    const subscribeRoom = room.again();
    this.#askedAgain.add(subscribeRoom);
    try {
      await this.#request({ subscribeRoom }, 'roomSubscribed', { resend: false });
    } catch (error) {
      const refusal = /** @type {ImError} */ (error);
      if (this.#link !== link || this.#rooms.get(roomId) !== room) return; // the next connection does it again, or nobody wants it any more
      if (refusal.code === 0 || RETRYABLE.has(refusal.code)) {
        const ceiling = Math.min(this.#options.retryMaxMs, this.#options.retryBaseMs * 2 ** tries);
        this.#hooks.setTimeout(() => {
          if (this.#link === link && this.#rooms.get(roomId) === room) void this.#subscribeAgain(link, room, Math.min(tries + 1, 30));
        }, ceiling / 2 + (this.#hooks.random() * ceiling) / 2);
        return;
      }
      this.#rooms.delete(roomId);
      this.#push({ event: { type: 'roomLeft', roomId, error: refusal }, step: null, size: 0 });
    }
  }

  /** @param {number} requestId @param {string} roomId */
  #onRoomLeft(requestId, roomId) {
    if (this.#rooms.delete(roomId) && requestId === 0) this.#push({ event: { type: 'roomLeft', roomId, error: null }, step: null, size: 0 });
  }

  /** @param {Link} link @param {Record<string, any>} push @param {number} size */
  #onRoomPush(link, push, size) {
    const roomId = str(push.roomId, 'roomId');
    const room = this.#rooms.get(roomId);
    if (!room || link.deaf) return; // left meanwhile; or the next connection gets it, as long as the room keeps it
    /** @type {ImRoomPriority} */
    const priority = enumeration(push.priority, 'priority', ROOM_PRIORITIES);
    const first = int(push.firstRoomSeq, 'firstRoomSeq');
    const messages = list(push.messages, 'messages', readRoomMessage);
    if (first < 1 || !(priority in room.cursors)) throw new ProtocolViolation('a room push without a seq or a priority');
    room.enter(str(push.epoch, 'epoch'));
    const cursor = room.cursors[priority];
    const next = (cursor.received ?? cursor.head) + 1;
    if (first > next) this.#push({ event: { type: 'roomGap', roomId, priority, from: next, to: first - 1 }, step: null, size: 0 });
    const each = Math.ceil(size / Math.max(1, messages.length));
    for (const [i, message] of messages.entries()) {
      const seq = first + i;
      if (cursor.received !== null && seq <= cursor.received) continue;
      cursor.received = seq;
      this.#push({ event: { type: 'roomMessage', roomId, priority, seq, message }, step: null, size: each });
    }
    this.#restIfFull(link);
  }

  /** @param {Item} item */
  #push(item) {
    if (item.step) this.#received.advance(item.step);
    this.#buffer.push(item);
    this.#bufferedChars += item.size;
    this.#wakeReader?.();
  }

  #dropBuffer() {
    this.#buffer = [];
    this.#bufferedChars = 0;
  }

  // ---------------------------------------------------------------------------------------------- events out

  /**
   * The events in order, for one reader. Its next step says that the event before it was handled; leaving the loop
   * inside an event leaves that event for the next loop. Ends when the client is closed.
   * @returns {AsyncGenerator<ImEvent, void, void>}
   */
  async *events() {
    for await (const item of this.#items()) {
      yield /** @type {ImEvent} */ (item.event);
      this.#consume(item);
    }
  }

  async *#items() {
    if (this.#reading) throw new Error('the events are being read already: they have one reader, onEvent or one events() loop');
    this.#reading = true;
    try {
      for (;;) {
        const item = this.#buffer[0];
        if (item && !item.event) {
          this.#consume(item);
        } else if (item) {
          this.#inHand = item;
          yield item;
          this.#inHand = null;
        } else {
          if (this.#ended) return;
          await new Promise((resolve) => { this.#wakeReader = () => resolve(undefined); });
          this.#wakeReader = null;
        }
      }
    } finally {
      this.#reading = false;
      this.#inHand = null;
    }
  }

  /** @param {(event: ImEvent) => unknown} handler */
  async #deliver(handler) {
    let failures = 0;
    for await (const item of this.#items()) {
      try {
        await handler(/** @type {ImEvent} */ (item.event));
        failures = 0;
        this.#consume(item);
      } catch (error) {
        this.#report(error);
        if (this.#ended) return;
        // The same event comes again: going on would skip it.
        const delay = Math.min(this.#options.retryMaxMs, this.#options.retryBaseMs * 2 ** failures++);
        this.#inHand = null;
        await new Promise((resolve) => {
          const timer = this.#hooks.setTimeout(() => resolve(undefined), delay);
          this.#wakeRetry = () => {
            this.#hooks.clearTimeout(timer);
            resolve(undefined);
          };
        });
        this.#wakeRetry = null;
        if (this.#ended) return;
      }
    }
  }

  /** @param {Item} item */
  #consume(item) {
    if (this.#buffer[0] !== item) return; // a reset dropped it while it was being handled
    this.#buffer.shift();
    this.#bufferedChars -= item.size;
    const step = item.step;
    if (step) {
      this.#consumed.advance(step);
      if (step.kind === 'reset') this.#ackConversations.clear();
      if (step.kind === 'conversation') this.#ackConversations.set(step.id, step.seq);
      else this.#ackInbox = true;
      this.#unflushed++;
      if (this.#ended || this.#unflushed >= this.#options.flushEntries) void this.#flush();
      else this.#flushTimer ??= this.#hooks.setTimeout(() => void this.#flush(), this.#options.flushIntervalMs);
    }
    if (this.#behind && this.#buffer.length <= this.#options.maxBufferedEvents / 2 && this.#bufferedChars <= this.#options.maxBufferedChars / 2) {
      this.#behind = false;
      if (this.#link) this.#drop(this.#link, 1000);
      this.#openSoon('behind');
    }
  }

  // ---------------------------------------------------------------------------------------------- cursors out

  /** @returns {Promise<void>} */
  #flush() {
    this.#hooks.clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    this.#unflushed = 0;
    this.#sendDeviceAck();
    this.#saveWanted = true;
    this.#saving ??= this.#save();
    return this.#saving;
  }

  /** One save at a time; the newest cursors win. */
  async #save() {
    await null; // so that #saving is set before it can be cleared
    try {
      while (this.#saveWanted) {
        this.#saveWanted = false;
        await this.#store.save(this.#consumed.save());
      }
    } catch (error) {
      this.#report(error);
      if (!this.#ended) this.#flushTimer ??= this.#hooks.setTimeout(() => void this.#flush(), this.#options.flushIntervalMs);
    } finally {
      this.#saving = null;
    }
  }

  /** Cumulative, and without a reply: one that is lost is made good by the next one or by the next sign-in's cursors. */
  #sendDeviceAck() {
    if (!this.#link?.signedIn || (!this.#ackInbox && this.#ackConversations.size === 0)) return;
    if (this.#consumed.generation !== this.#received.generation) return; // the store's positions are not ours yet
    const conversations = [...this.#ackConversations].map(([conversationId, seq]) => ({ conversationId, conversationSeq: String(seq) }));
    put(this.#link, JSON.stringify({
      deviceAck: { inboxSeq: String(this.#consumed.inboxSeq), ...(conversations.length > 0 ? { conversations } : {}) },
    }));
    this.#ackInbox = false;
    this.#ackConversations.clear();
  }
}

// ------------------------------------------------------------------------------------------------ helpers

/** @type {(cursor: ImConversationCursor) => {conversationId: string, conversationSeq: string}} */
const cursorJson = (cursor) => ({ conversationId: cursor.conversationId, conversationSeq: String(cursor.seq) });

/** Whether a store gave back what it got: else this is a new device. @param {any} saved @returns {boolean} */
function isCursors(saved) {
  return typeof saved?.generation === 'string' && typeof saved.userId === 'string' && Number.isSafeInteger(saved.inboxSeq)
    && Array.isArray(saved.conversations) && saved.conversations.every((/** @type {any} */ c) => typeof c?.conversationId === 'string' && Number.isSafeInteger(c.seq));
}

/** @param {ImContentInput} content */
function writeContent(content) {
  if (typeof content === 'string') return { contentType: 'text', text: content };
  if (typeof content !== 'object' || content === null) throw new TypeError('the content is a string or { contentType, text, data, mentions }');
  const { contentType = 'text', text, data, mentions } = content;
  return {
    contentType,
    ...(text ? { text } : {}),
    ...(data?.length ? { data: base64(data) } : {}),
    ...(mentions?.length ? { mentions } : {}),
  };
}

/** @param {Link} link @param {string} text */
function put(link, text) {
  try {
    link.socket.send(text);
  } catch {
    // a socket that is closing: its close event, or the ping's timeout, follows
  }
}

/** 128 random bits in hex; crypto.randomUUID would need a secure context. */
function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What cannot work, said before anything is begun. @param {ImClientOptions} options */
function checkOptions(options) {
  const { deviceId, token, cursorStore, onEvent, onError } = options;
  if (!deviceId) throw new TypeError('deviceId is missing: give a name of this installation that stays the same, 1 to 64 bytes');
  if (typeof deviceId !== 'string' || new TextEncoder().encode(deviceId).length > 64) {
    throw new TypeError('deviceId must be a string of 1 to 64 bytes: make one at installation and keep it');
  }
  if (token !== undefined && token !== null && typeof token !== 'string' && typeof token !== 'function') {
    throw new TypeError(`token cannot be ${kindOf(token)}: it is a string, or a function that gives one`);
  }
  for (const [name, value] of Object.entries({ onEvent, onError })) {
    if (value !== undefined && value !== null && typeof value !== 'function') throw new TypeError(`${name} cannot be ${kindOf(value)}: it is a function`);
  }
  if (cursorStore && (typeof cursorStore.load !== 'function' || typeof cursorStore.save !== 'function')) {
    throw new TypeError("cursorStore must have load() and save(cursors): localStorageCursorStore('im:user:device'), memoryCursorStore() or one of your own");
  }
  for (const name of /** @type {(keyof typeof DEFAULTS)[]} */ (Object.keys(DEFAULTS))) {
    const value = options[name];
    if (value === undefined || (typeof value === 'number' && value >= (NOT_ZERO.has(name) ? Number.MIN_VALUE : 0))) continue;
    throw new TypeError(`${name} cannot be ${typeof value === 'number' ? value : kindOf(value)}: it is a number ${NOT_ZERO.has(name) ? 'above 0' : 'of 0 or more'}, by default ${DEFAULTS[name]}`);
  }
}

/** @param {unknown} value */
const kindOf = (value) => (value === null || value === undefined ? String(value) : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`);

/** The servers of the option `url`, each checked as far as can be before a connection is made. @param {unknown} option @returns {string[]} */
function readUrls(option) {
  const example = "new ImClient({ url: ['wss://im1.example.com/im', 'wss://im2.example.com/im'], deviceId })";
  const given = Array.isArray(option) ? option : [option];
  if (given.length === 0) throw new TypeError(`url is an empty list: name at least one server, ${example}`);
  return given.map((each) => {
    if (!each || (typeof each !== 'string' && typeof each.href !== 'string')) throw new TypeError(`url is a string or a list of strings, not ${each === '' ? 'an empty one' : kindOf(each)}: ${example}`);
    const url = String(each);
    if (!isPath(url) && !/^(wss?|https?):/i.test(url)) throw new TypeError(`url cannot be ${url}: it begins with wss:// or ws://, or is a path such as /im in a browser`);
    if (isPath(url) && typeof location === 'undefined') return url; // maybe rendered on a server, and never connected there
    try {
      new URL(absolute(url));
    } catch {
      throw new TypeError(`url cannot be ${url}: it is no valid address, which looks like wss://example.com/im`);
    }
    return url;
  });
}

/** @param {string} url */
const isPath = (url) => !/^[a-z][a-z0-9+.-]*:/i.test(url);

/** A path of this page's origin as a WebSocket's URL; any other URL as it is. @param {string} url */
function absolute(url) {
  if (typeof location === 'undefined' || /^wss?:/i.test(url)) return url;
  const full = new URL(url, location.href);
  full.protocol = full.protocol === 'https:' ? 'wss:' : 'ws:';
  return full.href;
}
