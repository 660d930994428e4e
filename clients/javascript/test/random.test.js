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
