// The types of im-client.js, whose comments say the same for editors; test/types.test.js finds what only one of the two has.

/** Keeps cursors as long as the object lives. */
export function memoryCursorStore(): ImCursorStore;
/**
 * Keeps cursors in the browser's localStorage. Use one key for each user and device.
 * @param storage Default: the global localStorage.
 */
export function localStorageCursorStore(key: string, storage?: {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}): ImCursorStore;
export const SUBPROTOCOL: 'im.v1.json';
/** The name of the inbox as an event's `timeline`. No conversation id is equal to it: they begin with "d:", "g:" or "o:". */
export const INBOX: 'inbox';
/**
 * Why a request was not done, or why the client is closed. `code` is the server's error or close code; 0 = decided by
 * the client, with the reasons `timeout`, `closed`, `not_connected`, `connection_lost`, `too_many_pending`, `bad_url`.
 */
export class ImError extends Error {
  constructor(code: number, reason: string, message?: string, clientMessageId?: string);
  code: number;
  /** The code's name, for example not_a_member. */
  reason: string;
  /** Set for sends; sending again with the same id is safe. */
  clientMessageId: string | undefined;
}
/**
 * A signed-in device that keeps itself connected.
 *
 *   connect() -> connecting -> connected -> waiting -> connecting -> …      close() or a final refusal -> closed
 *
 * Fires `statechange` (a CustomEvent whose detail is an {@link ImStateChange}).
 */
export class ImClient extends EventTarget {
  constructor(options: ImClientOptions);
  /** Where the connection stands; before `connect` it is closed. */
  get state(): ImState;
  /** While waiting: when the next attempt is due (unix ms); null = when the handler has caught up. */
  get nextAttemptAt(): number | null;
  /** Why the client is closed for good, else null. */
  get closeReason(): ImError | null;
  /** The signed-in user; empty before the first sign-in. */
  get userId(): string;
  /** The server of this connection or attempt; while waiting, of the next attempt. */
  get url(): string;
  get deviceId(): string;
  /**
   * Starts. Resolves when signed in for the first time; from then on the client keeps itself connected until `close` or a final close code. Rejects with an
   * ImError if the server refuses for good, no address can be used, or `close` is called. While no server can be reached it stays pending: `statechange` tells.
   */
  connect(): Promise<void>;
  /**
   * Ends the client: requests without a reply reject, the cursors of what was handled are saved.
   * @returns Resolves when they are.
   */
  close(): Promise<void>;
  /** Only here for its type: `statechange` carries an {@link ImStateChange}. */
  override addEventListener(type: string, listener: ((event: CustomEvent<ImStateChange>) => void) | {
    handleEvent(event: CustomEvent<ImStateChange>): void;
  } | null, options?: boolean | {
    capture?: boolean;
    once?: boolean;
    passive?: boolean;
    signal?: AbortSignal;
  }): void;
  /**
   * Sends a message. It is sent again with the same id until the server has answered or `requestTimeoutMs` is over.
   * @param target `{ to: userId }` or `{ conversationId }`.
   * @param options A non-persistent message is never sent again, and fails at once while not connected.
   */
  send(target: ImTarget, content: ImContentInput, options?: {
    clientMessageId?: string;
    nonPersistent?: boolean;
  }): Promise<ImSendAck>;
  /**
   * Reads a page of a conversation, oldest entry first. Nothing given = the newest entries.
   * @param position The entries just before, or just after, this conversation seq.
   */
  history(conversationId: string, position?: {
    before?: number;
    after?: number;
    limit?: number;
  }): Promise<ImHistoryPage>;
  /**
   * Moves the user's read mark of a conversation, for all devices. It never moves back.
   * @returns The mark as it stands now.
   */
  markRead(conversationId: string, seq: number): Promise<{
    conversationId: string;
    conversationSeq: number;
  }>;
  /**
   * Subscribes to a room: its messages come as `roomMessage` events, what is missing as `roomGap`. The client stays in the room until `leaveRoom`: after a
   * reconnect it subscribes again from where it was, and gets what the room has kept since. Subscribing again replaces the subscription.
   * @param options Leave all other rooms in the same step; begin with so many of the
   *   newest messages of each priority that are kept, or those not older than this.
   */
  subscribeRoom(roomId: string, options?: {
    leaveOthers?: boolean;
    replayMessages?: number;
    replayMs?: number;
  }): Promise<ImRoomState>;
  /** Leaves a room. What is in the buffer already still comes. */
  leaveRoom(roomId: string): Promise<void>;
  /**
   * Sends a message to who is in a room now. It is sent at once or fails, and is never sent again: rooms do not deduplicate.
   * @param options HIGH overtakes normal messages that wait for a subscriber.
   */
  sendToRoom(roomId: string, content: ImContentInput, options?: {
    priority?: ImRoomPriority;
    clientMessageId?: string;
  }): Promise<{
    roomId: string;
    priority: ImRoomPriority;
    seq: number;
    timeMs: number;
  }>;
  /**
   * Hands the server a newer token for the same user; later sign-ins use it too. A token function is asked by itself
   * before the token expires.
   * @param token Left out where `token` is a function.
   */
  refreshToken(token?: string): Promise<{
    tokenExpiresAtMs: number;
  }>;
  /**
   * Subscribes to the presence of users, or of a conversation's members; adds to what is subscribed already. Changes come as `presence` events. After a
   * reconnect the client subscribes again by itself, and a `presence` event has the states as they are then.
   * @returns The states now, of those who may be seen; partial = only some of those online.
   */
  subscribePresence(target: {
    userIds: string[];
  } | {
    conversationId: string;
  }): Promise<{
    users: ImUserPresence[];
    isPartial: boolean;
  }>;
  /** Ends subscriptions to presence; all, where nothing is given. */
  unsubscribePresence(target?: {
    userIds?: string[];
    conversationId?: string;
  }): Promise<void>;
  /**
   * Sends a signal, for example `typing`, to who is online in a conversation or subscribes to a room. At most once: never sent again, and fails at once
   * while not connected.
   * @param type 1 to 64 bytes.
   * @param data The application's own, at most 1 KiB.
   * @returns false = it was too much, and the server dropped it.
   */
  sendSignal(target: ImTarget | {
    roomId: string;
  }, type: string, data?: string): Promise<boolean>;
  /**
   * The events in order, for one reader. Its next step says that the event before it was handled; leaving the loop
   * inside an event leaves that event for the next loop. Ends when the client is closed.
   */
  events(): AsyncGenerator<ImEvent, void, void>;
  #private;
}
export type ImState = 'connecting' | 'connected' | 'waiting' | 'closed';
export type ImFanout = 'FANOUT_UNSPECIFIED' | 'WRITE' | 'READ';
export type ImSendResult = 'SEND_RESULT_UNSPECIFIED' | 'STORED' | 'DUPLICATE' | 'RELAYED';
/** What a message says. */
export type ImContent = {
  /** text, face, voice, image, file, location, command, custom, or a type of your own. */
  contentType: string;
  text: string;
  data: Uint8Array;
  /** User ids; "*" = everyone. */
  mentions: string[];
};
export type ImGroupInfo = {
  name: string;
  avatar: string;
  extra: string;
  fanout: ImFanout;
  memberCount: number;
  membershipVersion: number;
};
/**
 * One position of a conversation's timeline. `kind` names the one body field that is set; null = a body that this
 * version does not know, or one that is gone.
 */
export type ImEntry = {
  conversationId: string;
  conversationSeq: number;
  /** How many unread-counting messages the conversation has up to and including this entry. */
  ordinal: number;
  senderId: string;
  senderDeviceId: string;
  clientMessageId: string;
  /** Unix milliseconds, set by the server. */
  timeMs: number;
  /** The body is no longer kept. */
  gone: boolean;
  kind: 'content' | 'groupCreated' | 'groupChanged' | 'groupDissolved' | 'membersChanged' | 'fanoutChanged' | 'readMarkMoved' | null;
  content?: ImContent;
  groupCreated?: {
    group: ImGroupInfo | null;
    members: string[];
  };
  groupChanged?: {
    group: ImGroupInfo | null;
  };
  groupDissolved?: {};
  membersChanged?: {
    added: string[];
    removed: string[];
    group: ImGroupInfo | null;
  };
  fanoutChanged?: {
    fanout: ImFanout;
  };
  readMarkMoved?: {
    conversationId: string;
    conversationSeq: number;
    unread: number;
  };
};
export type ImConversationState = {
  conversationId: string;
  head: number;
  fanout: ImFanout;
  /** Set for groups. */
  group: ImGroupInfo | null;
  readSeq: number;
  unread: number;
  lastEntry: ImEntry | null;
  joinedSeq: number;
};
/** `timeline` is "inbox" or a conversation id. */
export type ImEntryEvent = {
  type: 'entry';
  timeline: string;
  seq: number;
  entry: ImEntry;
};
/** Drop what you had; start from this. */
export type ImResetEvent = {
  type: 'reset';
  generation: string;
  inboxSeq: number;
  conversations: ImConversationState[];
};
/** A message without a seq, or what somebody sent by `sendSignal`; at most once. */
export type ImSignalEvent = {
  type: 'signal';
  message: ImEntry | null;
  sender: ImSenderSignal | null;
};
/** One of the two ids is empty. */
export type ImSenderSignal = {
  conversationId: string;
  roomId: string;
  senderId: string;
  senderDeviceId: string;
  type: string;
  data: string;
  timeMs: number;
};
/** `lastSeenMs` is 0 while online, or where it is not known. */
export type ImUserPresence = {
  userId: string;
  isOnline: boolean;
  deviceTypes: string[];
  lastSeenMs: number;
};
/** The newest state of those that changed; after a reconnect, of all that are subscribed to. */
export type ImPresenceEvent = {
  type: 'presence';
  users: ImUserPresence[];
};
/** What could not be subscribed to again after a reconnect; null = the users. */
export type ImPresenceEndedEvent = {
  type: 'presenceEnded';
  conversationId: string | null;
  error: ImError;
};
export type ImRoomPriority = 'NORMAL' | 'HIGH';
export type ImRoomMessage = {
  senderId: string;
  senderDeviceId: string;
  clientMessageId: string;
  timeMs: number;
  content: ImContent;
};
/** In order and each once for each priority; high ones may come before older normal ones. */
export type ImRoomMessageEvent = {
  type: 'roomMessage';
  roomId: string;
  priority: ImRoomPriority;
  seq: number;
  message: ImRoomMessage;
};
/** Messages that this client will not get. */
export type ImRoomGapEvent = {
  type: 'roomGap';
  roomId: string;
  priority: ImRoomPriority;
  from: number;
  to: number;
};
/** The server ended the subscription, or refused it after a reconnect. */
export type ImRoomLeftEvent = {
  type: 'roomLeft';
  roomId: string;
  error: ImError | null;
};
/** Where the room stood when it was subscribed to. */
export type ImRoomState = {
  roomId: string;
  epoch: string;
  heads: {
    NORMAL: number;
    HIGH: number;
  };
};
export type ImEvent = ImEntryEvent | ImResetEvent | ImSignalEvent | ImPresenceEvent | ImPresenceEndedEvent | ImRoomMessageEvent | ImRoomGapEvent | ImRoomLeftEvent;
export type ImTarget = {
  to: string;
} | {
  conversationId: string;
};
/** A string is a text message. */
export type ImContentInput = string | {
  contentType?: string;
  text?: string;
  data?: Uint8Array;
  mentions?: string[];
};
export type ImSendAck = {
  result: ImSendResult;
  clientMessageId: string;
  conversationId: string;
  conversationSeq: number;
  timeMs: number;
};
export type ImHistoryPage = {
  conversationId: string;
  entries: ImEntry[];
  hasMore: boolean;
  head: number;
  floor: number;
};
/** What a cursor store keeps: plain JSON. Treat it as opaque. */
export type ImCursors = {
  userId: string;
  generation: string;
  inboxSeq: number;
  conversations: ImConversationCursor[];
};
/** `lastSeq` is set when the user has left: nothing comes after it. */
export type ImConversationCursor = {
  conversationId: string;
  seq: number;
  lastSeq?: number;
};
export type ImCursorStore = {
  load(): Promise<ImCursors | null>;
  save(cursors: ImCursors): Promise<void>;
};
/**
 * `reason`: the name of the server's close code, or `connection_lost`, `connect_timeout`, `ping_timeout`, `no_subprotocol` (something else than an IM server
 * answered), `protocol_violation`, `not_ready` (the token function or the cursor store failed), `behind` (the handler has to catch up), `other_user` (the
 * saved cursors were another user's), `cursor_beyond_head`, `online`, `closed`, `bad_url`. `error` is set when closed.
 */
export type ImStateChange = {
  state: ImState;
  previous: ImState;
  nextAttemptAt: number | null;
  reason: string | null;
  error: ImError | null;
};
export type ImClientOptions = {
  /**
   * `wss://…`, or a path such as `/im` in a browser. A list names the nodes of one cluster: a connect that fails and a
   * connection that is lost make the next attempt go to the next one, round and round; a client that is connected stays where it is. Shuffle the list for
   * each device, so that a node's devices spread over all others.
   */
  url: string | URL | readonly (string | URL)[];
  /** Names this installation, 1 to 64 bytes. The same user and device on another connection replaces this one. */
  deviceId: string;
  /**
   * A function is asked before every sign-in, and before a token expires; if it rejects, it is asked again later.
   * Leave it out where the endpoint is authorized by cookie or header.
   */
  token?: string | (() => string | Promise<string>);
  device?: {
    type?: string;
    brand?: string;
    model?: string;
    os?: string;
    clientVersion?: string;
  };
  /** Default: memory, so a reload starts with a reset. */
  cursorStore?: ImCursorStore;
  /** Called with one event at a time; the next one waits for its promise. If it rejects, the same event comes again. Without it use `events()`. */
  onEvent?: (event: ImEvent) => unknown;
  /** Trouble that the client handles by itself: a handler, a cursor store or a token function that failed, an address of a list that no WebSocket takes. Default: `console.error`. */
  onError?: (error: unknown) => void;
  /** Default: the global one. */
  WebSocket?: new (url: string, protocols: string[]) => any;
  /** From opening a socket to signed in. Default 15000. */
  connectTimeoutMs?: number;
  /** How long a send or another request is resent and waited for, being offline included. Default 30000; 0 = for ever. */
  requestTimeoutMs?: number;
  /** First ceiling of the jittered backoff. Default 500. */
  reconnectBaseMs?: number;
  /** Last ceiling of the jittered backoff. Default 30000. */
  reconnectMaxMs?: number;
  /** A connection that lived this long, and longer than the wait before it, starts the backoff anew. Default 5000. */
  stableAfterMs?: number;
  /** First ceiling of the backoff after a retryable error. Default 250. */
  retryBaseMs?: number;
  /** Last ceiling of the backoff after a retryable error. Default 5000. */
  retryMaxMs?: number;
  /** At most this; a third of the server's idle timeout if that is less. Default 25000. */
  pingIntervalMs?: number;
  /** Nothing received for this long after a ping = the connection is dead. Default 10000. */
  pingTimeoutMs?: number;
  /** Requests that wait for their reply; above it `send` rejects. Default 1000. */
  maxPending?: number;
  /** Events received and not yet handled; above it the socket is closed until half of them are handled. Default 4096. */
  maxBufferedEvents?: number;
  /** The same in characters of JSON. Default 16777216. */
  maxBufferedChars?: number;
  /** Cursor saves and device acks are gathered for this long. Default 1000. */
  flushIntervalMs?: number;
  /** Or until this many entries were handled. Default 100. */
  flushEntries?: number;
  /** For tests. */
  hooks?: Partial<ImHooks>;
};
export type ImHooks = {
  setTimeout: (callback: () => void, ms: number) => any;
  clearTimeout: (timer: any) => void;
  now: () => number;
  random: () => number;
  onlineTarget: {
    addEventListener(type: string, listener: () => void): void;
    removeEventListener(type: string, listener: () => void): void;
  } | null;
};
