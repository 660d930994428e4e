// A scripted server for the client: fake sockets, a fake clock, and a step that lets everything pending run.
import assert from 'node:assert/strict';
import { ImClient, memoryCursorStore } from '../im-client.js';

/** Lets promise chains run to their end; nothing in the client waits for anything but promises and hooked timers. */
export async function settle() {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock {
  now = 1_700_000_000_000;
  random = 1;
  #timers = new Map();
  #last = 0;

  hooks(onlineTarget = null) {
    return {
      setTimeout: (callback, ms) => {
        this.#timers.set(++this.#last, { callback, at: this.now + ms });
        return this.#last;
      },
      clearTimeout: (id) => this.#timers.delete(id),
      now: () => this.now,
      random: () => this.random,
      onlineTarget,
    };
  }

  get count() { return this.#timers.size; }

  /** Moves on, firing what is due in order of time. */
  async advance(ms) {
    const until = this.now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, t]) => t.at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = Math.max(this.now, due[1].at);
      due[1].callback();
      await settle();
    }
    this.now = until;
  }
}

export class FakeSocket {
  sent = [];
  closed = false;
  protocol = '';

  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
  }

  send(text) {
    assert.equal(this.closed, false, 'sent on a closed socket');
    this.sent.push(JSON.parse(text));
  }

  close() { this.closed = true; }

  /** The client's packets of one kind, without their request ids. */
  packets(kind) { return this.sent.filter((p) => p[kind]).map((p) => p[kind]); }
  last(kind) { return this.sent.filter((p) => p[kind]).at(-1); }

  async open(protocol = 'im.v1.json') {
    this.protocol = protocol;
    this.onopen?.({});
    await settle();
  }

  async receive(packet) { await this.receiveRaw(JSON.stringify(packet)); }
  async receiveRaw(data) {
    this.onmessage?.({ data });
    await settle();
  }

  /** The connection ends without a Close packet. */
  async drop(code = 1006, reason = '') {
    this.onclose?.({ code, reason });
    await settle();
  }

  /** Opens and answers the sign-in. */
  async signIn(signedIn = {}) {
    await this.open();
    await this.receive({
      requestId: this.last('signIn').requestId,
      signedIn: { userId: 'me', deviceId: 'd1', generation: 'G1', inboxHead: '0', serverTimeMs: '1700000000000', idleTimeoutMs: 60000, maxFrameBytes: 65536, ...signedIn },
    });
  }

  pushInbox(first, ...entries) { return this.receive({ push: { firstInboxSeq: String(first), entries } }); }
  pushConversation(id, first, ...entries) {
    const full = entries.map((entry, i) => ({ conversationId: id, conversationSeq: String(first + i), ...entry }));
    return this.receive({ push: { conversationId: id, firstConversationSeq: String(first), entries: full } });
  }
  pushSkip(id, first, through) {
    return this.receive({ push: { conversationId: id, firstConversationSeq: String(first), skippedThrough: String(through) } });
  }
}

/** A client with everything faked. `handler` gets each event; without one events are collected and handled at once. */
export function start(options = {}) {
  const clock = options.clock ?? new FakeClock();
  const sockets = [];
  const events = [];
  const errors = [];
  const online = new EventTarget();
  class Socket extends FakeSocket {
    constructor(url, protocols) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const { clock: _, manual, hooks, ...rest } = options;
  const store = rest.cursorStore ?? memoryCursorStore();
  const client = new ImClient({
    url: 'ws://test/im',
    deviceId: 'd1',
    WebSocket: Socket,
    onError: (error) => errors.push(error),
    ...(manual ? {} : { onEvent: (event) => { events.push(event); } }),
    ...rest,
    cursorStore: store,
    hooks: { ...clock.hooks(online), ...hooks },
  });
  const states = [];
  client.addEventListener('statechange', (event) => states.push(event.detail));
  return {
    client, clock, sockets, events, errors, states, store, online,
    get socket() { return sockets.at(-1); },
    /** Connects, signs in and resolves connect(). */
    async connected(signedIn) {
      const connecting = client.connect();
      connecting.catch(() => {});
      await settle();
      await sockets.at(-1).signIn(signedIn);
      await connecting;
    },
    /** Waits for the next attempt and signs in. */
    async reconnected(signedIn) {
      const before = sockets.length;
      await clock.advance(client.nextAttemptAt === null ? 0 : client.nextAttemptAt - clock.now);
      assert.ok(sockets.length > before, 'no new attempt');
      await sockets.at(-1).signIn(signedIn);
      return sockets.at(-1);
    },
  };
}

/** A promise whose outcome can be looked at. */
export function outcome(promise) {
  const seen = { done: false, value: undefined, error: undefined };
  promise.then((value) => Object.assign(seen, { done: true, value }), (error) => Object.assign(seen, { done: true, error }));
  return seen;
}

/** A handler that is resolved by hand, event by event. */
export function manualHandler() {
  const seen = [];
  const releases = [];
  return {
    seen,
    handler: (event) => new Promise((resolve, reject) => {
      seen.push(event);
      releases.push({ resolve, reject });
    }),
    async release(count = 1) {
      for (let i = 0; i < count; i++) {
        const next = releases.shift();
        assert.ok(next, 'no event is being handled');
        next.resolve();
        await settle();
      }
    },
    async fail() {
      releases.shift().reject(new Error('the handler failed'));
      await settle();
    },
  };
}

export const text = (words, seq = 1, conversationId = 'd:1:a:b') => ({
  conversationId, conversationSeq: String(seq), senderId: 'a', timeMs: '1700000000000', content: { contentType: 'text', text: words },
});
export const texts = (first, count) => Array.from({ length: count }, (_, i) => text(`m${first + i}`, first + i));
export const seqs = (events) => events.filter((e) => e.type === 'entry').map((e) => `${e.timeline}/${e.seq}`);
