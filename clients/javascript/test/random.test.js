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

/**
 * A group that the user joins and leaves at random. The inbox and the group's own timeline reach the client in any order
 * against each other; a connection follows the stays as the server does: the rest of a stay, a skip, the next stay.
 */
class Stays {
  head = 0;
  inbox = []; // the joins and leaves
  stays = []; // { join, leave }: entries join + 1 .. leave - 1
  memberOf = null;

  commit(random) {
    this.head++;
    const seq = String(this.head);
    if (random(5) > 0) return;
    if (this.memberOf) {
      this.memberOf.leave = this.head;
      this.memberOf = null;
      this.inbox.push({ conversationId: 'g:x', conversationSeq: seq, membersChanged: { removed: ['me'], group: { fanout: 'READ' } } });
    } else {
      this.memberOf = { join: this.head, leave: Infinity };
      this.stays.push(this.memberOf);
      this.inbox.push({ conversationId: 'g:x', conversationSeq: seq, membersChanged: { added: ['me'], group: { fanout: 'READ' } } });
    }
  }

  /** What a connection sends next after its cursor; null = nothing now. */
  next(cursor, count) {
    const stay = this.stays.find((each) => each.leave - 1 > cursor);
    if (!stay) return null;
    if (cursor < stay.join) return { first: cursor + 1, skip: stay.join, last: stay.join };
    const last = Math.min(stay.leave - 1, this.head, cursor + count);
    return last > cursor ? { first: cursor + 1, last } : null;
  }

  has(seq) { return this.stays.some((stay) => seq > stay.join && seq < stay.leave); }
}

async function runStays(seed) {
  const random = generator(seed);
  const server = new Stays();
  const got = [];
  const store = memoryCursorStore();
  const onEvent = async (event) => {
    for (let i = random(3); i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
    if (event.timeline === 'g:x') got.push(event.seq);
  };
  const t = start({ cursorStore: store, onEvent, pingTimeoutMs: 1e9, connectTimeoutMs: 1e9 });
  let inboxSent = 0;
  let cursor = null;
  const fresh = new Set();
  const signIn = async () => {
    fresh.clear();
    if (t.client.state === 'waiting') await t.clock.advance(t.client.nextAttemptAt - t.clock.now);
    await t.socket.signIn();
    const asked = t.socket.packets('signIn')[0];
    inboxSent = Number(asked.inboxCursor ?? 0);
    const named = asked.conversationCursors?.find((c) => c.conversationId === 'g:x');
    cursor = named ? Number(named.conversationSeq) : null;
    // The first stay that the inbox is still to tell about, or is telling about now.
    if (cursor === null) cursor = Number(server.inbox.slice(inboxSent).find((e) => e.membersChanged.added)?.conversationSeq ?? Infinity);
  };
  t.client.connect();
  await settle();
  await signIn();
  const push = async () => {
    const startsAt = server.inbox.find((e, i) => i >= inboxSent && e.membersChanged.added)?.conversationSeq;
    if (cursor === Infinity && startsAt) cursor = Number(startsAt);
    const next = server.next(cursor, 1 + random(4));
    if (!next) return false;
    // Where the stay before was finished when the next one began, there is no skip; here the inbox has told of both by then.
    const told = server.inbox.slice(0, inboxSent).some((e) => Number(e.conversationSeq) === next.skip);
    if (next.skip && told && fresh.has(next.skip)) cursor = next.last;
    else if (next.skip) await t.socket.pushSkip('g:x', next.first, next.skip);
    else await t.socket.pushConversation('g:x', next.first, ...Array.from({ length: next.last - next.first + 1 }, () => ({})));
    cursor = next.last;
    return true;
  };
  const tell = async () => {
    if (inboxSent >= server.inbox.length) return false;
    const entries = server.inbox.slice(inboxSent, inboxSent + 1 + random(2));
    if (cursor === Infinity) cursor = Number(entries.find((e) => e.membersChanged.added)?.conversationSeq ?? Infinity);
    await t.socket.pushInbox(inboxSent + 1, ...entries);
    inboxSent += entries.length;
    return true;
  };
  for (let step = 0; step < 150; step++) {
    const what = random(12);
    if (what < 6) {
      const before = server.stays.at(-1);
      server.commit(random);
      if (server.stays.at(-1) !== before && cursor === (before?.leave ?? 0) - 1) fresh.add(server.head);
    } else if (what < 9) await push();
    else if (what < 11) await tell();
    else if (random(4) === 0) {
      await t.socket.drop();
      await signIn();
    }
    assert.equal(t.client.state, 'connected', `${t.errors.at(-1)}`);
  }
  while (await push() || await tell());
  await t.clock.advance(2_000);
  await settle();
  const expected = Array.from({ length: server.head }, (_, i) => i + 1).filter((seq) => server.has(seq));
  assert.deepEqual(got, expected, 'each entry of each stay, once and in order');
  assert.equal(t.errors.length, 0);
  await t.client.close();
  const saved = (await store.load()).conversations;
  if (!server.memberOf) assert.deepEqual(saved, [], 'no cursor is left of a stay that is over');
  else assert.equal(saved[0].seq >= server.memberOf.join && saved[0].lastSeq === undefined, true, 'the cursor of the present stay');
}

test('however joins and leaves overtake a conversation\'s entries, each entry of each stay comes once and in order', { timeout: 60_000 }, async () => {
  const first = process.env.IM_SEED ? Number(process.env.IM_SEED) : Date.now() % 1_000_000;
  const runs = process.env.IM_SEED ? 1 : 60;
  for (let seed = first; seed < first + runs; seed++) {
    try {
      await runStays(seed);
    } catch (error) {
      console.error(`IM_SEED=${seed} node --test replays it`);
      throw error;
    }
  }
});
