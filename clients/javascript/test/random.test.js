// A seeded random server: duplicates, gaps, cuts, closes, garbage, resets, slow and failing handlers. Whatever it does, the
// application gets each entry of a generation once and in order, and what is saved is never ahead of what was handled.
import assert from 'node:assert/strict';
import test from 'node:test';
import { memoryCursorStore } from '../im-client.js';
import { settle, start, text } from './harness.js';

function generator(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % below;
  };
}

async function run(seed) {
  const random = generator(seed);
  const handled = new Map(); // generation -> { base, last }
  let generation = 1;
  let current = null;
  const memory = memoryCursorStore();
  const saves = [];
  const store = { load: memory.load, save: (c) => { saves.push(c); check(c); return memory.save(c); } };
  const check = (c) => {
    const seen = handled.get(c.generation);
    assert.ok(seen && c.inboxSeq <= seen.last, `saved ${c.inboxSeq} of ${c.generation} before it was handled`);
  };
  const onEvent = async (event) => {
    for (let i = random(4); i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
    if (random(20) === 0) throw new Error('now and then');
    if (event.type === 'reset') {
      current = event.generation;
      handled.set(current, { base: event.inboxSeq, last: event.inboxSeq });
    } else if (event.entry.content.text.startsWith(`${current} `)) {
      const seen = handled.get(current);
      assert.equal(event.seq, seen.last + 1, 'the next entry');
      assert.equal(event.entry.content.text, `${current} ${event.seq}`);
      seen.last = event.seq;
    } else {
      assert.fail(`an entry of another generation after the reset: ${event.entry.content.text} in ${current}`);
    }
  };
  let failure = null;
  const guarded = async (event) => {
    try {
      await onEvent(event);
    } catch (error) {
      if (error.code === 'ERR_ASSERTION') failure ??= error;
      throw error;
    }
  };
  const t = start({ onEvent: guarded, cursorStore: store, maxBufferedEvents: 30, maxBufferedChars: 100_000, retryBaseMs: 10, retryMaxMs: 10, pingTimeoutMs: 1e9, connectTimeoutMs: 1e9 });
  let head = 3;
  let from = 0;
  const entries = (first, count) => Array.from({ length: count }, (_, i) => text(`G${generation} ${first + i}`, first + i));
  const signIn = async () => {
    await t.socket.open();
    const asked = t.socket.packets('signIn')[0];
    const reset = asked.generation !== `G${generation}`;
    from = reset ? head : Number(asked.inboxCursor);
    assert.ok(from <= head);
    await t.socket.receive({ requestId: t.socket.last('signIn').requestId, signedIn: { userId: 'me', generation: `G${generation}`, reset } });
    if (reset) await t.socket.receive({ snapshot: { inboxSeq: String(head) } });
  };
  t.client.connect();
  await settle();
  for (let step = 0; step < 120 && !failure; step++) {
    if (t.client.state === 'waiting') await t.clock.advance(t.client.nextAttemptAt === null ? 20 : t.client.nextAttemptAt - t.clock.now);
    if (t.client.state === 'connecting') await signIn();
    if (t.client.state !== 'connected') continue;
    const socket = t.socket;
    const what = random(20);
    if (what < 11) {
      head = Math.max(head, from + 1 + random(15));
      const first = Math.max(1, from + 1 - random(3)); // now and then some again
      await socket.pushInbox(first, ...entries(first, head - first + 1));
      from = head;
    } else if (what < 13) {
      await socket.pushInbox(from + 2 + random(5), ...entries(from + 2, 1)); // a gap
    } else if (what < 14) {
      await socket.receiveRaw('{"push":{"firstInbox');
    } else if (what < 16) {
      await socket.drop(1006);
    } else if (what < 17) {
      await socket.receive({ close: { code: 3001, reason: 'slow', reconnectAfterMs: random(2_000) } });
    } else if (what < 18) {
      generation++; // the store was lost
      head = random(10);
      await socket.drop(1006);
    } else {
      await t.clock.advance(random(1_500));
    }
  }
  for (let i = 0; i < 400 && !failure && handled.get(`G${generation}`)?.last !== head; i++) {
    if (t.client.state === 'waiting') await t.clock.advance(t.client.nextAttemptAt === null ? 20 : t.client.nextAttemptAt - t.clock.now);
    if (t.client.state === 'connecting') await signIn();
    if (t.client.state === 'connected' && from < head) {
      await t.socket.pushInbox(from + 1, ...entries(from + 1, head - from));
      from = head;
    }
    await t.clock.advance(20);
  }
  if (failure) throw failure;
  assert.equal(handled.get(`G${generation}`).last, head, 'everything arrived');
  await t.client.close();
  assert.equal((await memory.load()).inboxSeq, head);
}

test('whatever a random server does, each entry is handled once and in order, and saved after it', { timeout: 60_000 }, async () => {
  const first = process.env.IM_SEED ? Number(process.env.IM_SEED) : Date.now() % 1_000_000;
  const runs = process.env.IM_SEED ? 1 : 60;
  for (let seed = first; seed < first + runs; seed++) {
    try {
      await run(seed);
    } catch (error) {
      console.error(`IM_SEED=${seed} node --test replays it`);
      throw error;
    }
  }
});

// ---------------------------------------------------------------- a conversation with fan-out on read

const G = 'g:x';

/** A group that the user joins and leaves, and whose fan-out changes, at random; its parts are what the user reads by cursor. */
class Group {
  head = 0;
  fanout = 'READ';
  isMember = false;
  inbox = []; // joins, leaves, switches, and what is sent while the fan-out is on write
  parts = []; // entries after + 1 .. last; place = the inbox seq of the join or switch
  session = null;

  get part() { return this.parts.at(-1)?.last === Infinity ? this.parts.at(-1) : null; }
  has(seq) { return this.parts.some((part) => seq > part.after && seq <= part.last); }

  commit(random) {
    this.head++;
    const what = random(12);
    if (what < 3) {
      this.isMember = !this.isMember;
      const group = { fanout: this.fanout };
      this.#tell({ membersChanged: this.isMember ? { added: ['me'], group } : { removed: ['me'], group } });
    } else if (what < 4) {
      this.fanout = this.fanout === 'READ' ? 'WRITE' : 'READ';
      if (this.isMember) this.#tell({ fanoutChanged: { fanout: this.fanout } });
    } else if (this.isMember && this.fanout === 'WRITE') {
      this.#tell({ content: { text: 'x' } });
    }
    const reads = this.isMember && this.fanout === 'READ';
    if (reads && !this.part) {
      this.parts.push({ after: this.head, last: Infinity, place: this.inbox.length });
      this.session?.open(this.head, Infinity);
    } else if (!reads && this.part) {
      this.part.last = this.head - 1;
      this.session?.close(this.head - 1);
    }
  }

  #tell(body) { this.inbox.push({ conversationId: G, conversationSeq: String(this.head), ...body }); }
}

/**
 * What the server knows of one connection: the inbox's cursor and the group's, which stays when its part has ended, so that a
 * return goes on from it. Packets leave in the order in which they were queued; each timeline is queued at its own pace.
 */
class Session {
  queue = [];
  timeline = null; // { cursor, last, later: parts that follow }

  /** Opens what the device has not got: with a cursor all parts that it does not finish, without one what the inbox still tells of. */
  constructor(group, inboxCursor, cursor) {
    this.group = group;
    this.inboxCursor = inboxCursor;
    if (cursor !== null) this.timeline = { cursor, last: cursor, later: [] };
    for (const part of group.parts) {
      const wanted = cursor === null ? part.last === Infinity || part.place > inboxCursor : part.last > cursor;
      if (wanted && cursor > part.after) this.timeline.last = part.last;
      else if (wanted) this.open(part.after, part.last);
    }
    group.session = this;
  }

  open(after, last) {
    if (!this.timeline) {
      this.timeline = { cursor: after, last, later: [] };
    } else {
      this.timeline.later.push({ after, last });
      this.#skip();
    }
  }

  close(last) {
    if (!this.timeline) return;
    (this.timeline.later.at(-1) ?? this.timeline).last = last;
    this.#skip();
  }

  #skip() {
    const timeline = this.timeline;
    while (timeline.cursor >= timeline.last && timeline.later.length > 0) {
      const { after, last } = timeline.later.shift();
      const first = timeline.cursor + 1;
      if (first <= after) this.queue.push((socket) => socket.pushSkip(G, first, after));
      timeline.cursor = Math.max(timeline.cursor, after);
      timeline.last = last;
    }
  }

  /** Queues the next entries of the inbox; false = there are none. */
  readInbox(count) {
    const first = this.inboxCursor + 1;
    const entries = this.group.inbox.slice(this.inboxCursor, this.inboxCursor + count);
    if (entries.length === 0) return false;
    this.queue.push((socket) => socket.pushInbox(first, ...entries));
    this.inboxCursor += entries.length;
    return true;
  }

  /** Queues the next entries of the group's timeline; false = there are none. */
  readGroup(count) {
    const timeline = this.timeline;
    if (!timeline) return false;
    const first = timeline.cursor + 1;
    const last = Math.min(timeline.last, this.group.head, timeline.cursor + count);
    if (last < first) return false;
    this.queue.push((socket) => socket.pushConversation(G, first, ...Array.from({ length: last - first + 1 }, () => ({}))));
    timeline.cursor = last;
    this.#skip();
    return true;
  }

  async write(socket, count) {
    for (const packet of this.queue.splice(0, count)) await packet(socket);
  }
}

async function runStays(seed) {
  const random = generator(seed);
  const group = new Group();
  const store = memoryCursorStore();
  const got = [];
  const gotInbox = [];
  let calls = 0;
  const onEvent = async (event) => {
    calls++;
    for (let i = random(3); i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
    if (event.timeline === G) got.push(event.seq);
    else if (event.timeline === 'inbox') gotInbox.push(event.seq);
  };
  let t;
  let session;
  const signIn = async () => {
    if (t.client.state === 'waiting') await t.clock.advance(t.client.nextAttemptAt - t.clock.now);
    await t.socket.signIn();
    const asked = t.socket.packets('signIn')[0];
    const named = asked.conversationCursors?.find((c) => c.conversationId === G);
    session = new Session(group, Number(asked.inboxCursor ?? 0), named ? Number(named.conversationSeq) : null);
  };
  const load = async () => {
    t = start({ cursorStore: store, onEvent, pingTimeoutMs: 1e9, connectTimeoutMs: 1e9 });
    t.client.connect().catch(() => {});
    await settle();
    await signIn();
  };
  const idle = async () => {
    for (let before = -1; before !== calls; await settle()) before = calls;
  };
  const close = async () => {
    await t.client.close();
    await idle();
    await t.clock.advance(2_000);
    assert.equal(t.errors.length, 0);
  };
  await load();
  for (let step = 0; step < 150; step++) {
    const what = random(16);
    if (what < 6) group.commit(random);
    else if (what < 9) session.readGroup(1 + random(4));
    else if (what < 11) session.readInbox(1 + random(3));
    else if (what < 15) await session.write(t.socket, 1 + random(4));
    else if (random(4) > 0) {
      await t.socket.drop(); // and with it what is queued
      await signIn();
    } else {
      await close();
      await load();
    }
    assert.equal(t.client.state, 'connected', `${t.errors.at(-1)}`);
  }
  while (session.readGroup(1 + random(4)) || session.readInbox(1 + random(3)) || session.queue.length > 0) await session.write(t.socket, 1 + random(4));
  assert.equal(t.client.state, 'connected', `${t.errors.at(-1)}`);
  await idle(); // closing ends the handling after the event in hand
  await close();
  assert.deepEqual(got, Array.from({ length: group.head }, (_, i) => i + 1).filter((seq) => group.has(seq)), 'each entry of each stay, once and in order');
  assert.deepEqual(gotInbox, group.inbox.map((_, i) => i + 1));
  const saved = (await store.load()).conversations;
  if (group.part) assert.deepEqual(saved, [{ conversationId: G, seq: group.head }], 'the cursor of the present stay');
  else assert.deepEqual(saved, [], 'no cursor is left of a stay that is over');
}

test('however joins and leaves overtake a conversation\'s entries, each entry of each stay comes once and in order', { timeout: 60_000 }, async () => {
  const first = process.env.IM_SEED ? Number(process.env.IM_SEED) : Date.now() % 1_000_000;
  const runs = Number(process.env.IM_RUNS ?? (process.env.IM_SEED ? 1 : 60));
  for (let seed = first; seed < first + runs; seed++) {
    try {
      await runStays(seed);
    } catch (error) {
      console.error(`IM_SEED=${seed} node --test replays it`);
      throw error;
    }
  }
});
