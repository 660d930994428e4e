import assert from 'node:assert/strict';
import test from 'node:test';
import { INBOX, localStorageCursorStore, memoryCursorStore } from '../im-client.js';
import { manualHandler, outcome, seqs, settle, start, text, texts } from './harness.js';

const cursorsOf = (socket) => {
  const { generation, inboxCursor, conversationCursors } = socket.packets('signIn')[0];
  return { generation, inboxCursor, conversationCursors };
};

test('entries come in order with their timeline, seq and body', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, text('one'), text('two', 2));
  assert.deepEqual(seqs(t.events), ['inbox/1', 'inbox/2']);
  const { type, timeline, seq, entry } = t.events[1];
  assert.deepEqual([type, timeline, seq, entry.kind, entry.content.text, entry.conversationSeq], ['entry', INBOX, 2, 'content', 'two', 2]);
});

test('int64 values are read from strings and from numbers', async () => {
  const t = start();
  await t.connected();
  await t.socket.receive({ push: { firstInboxSeq: 1, entries: [{ conversationId: 'd:1:a:b', conversationSeq: 9007199254740991, timeMs: '1700000000000' }] } });
  assert.deepEqual([t.events[0].entry.conversationSeq, t.events[0].entry.timeMs], [9007199254740991, 1700000000000]);
});

test('events are handled one at a time: the next one waits for the handler\'s promise', async () => {
  const h = manualHandler();
  const t = start({ onEvent: h.handler });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 3));
  assert.deepEqual(seqs(h.seen), ['inbox/1']);
  await h.release();
  assert.deepEqual(seqs(h.seen), ['inbox/1', 'inbox/2']);
});

test('an entry that is the cursor\'s or below it is dropped', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 3));
  await t.socket.pushInbox(2, ...texts(2, 3));
  assert.deepEqual(seqs(t.events), ['inbox/1', 'inbox/2', 'inbox/3', 'inbox/4']);
  assert.equal(t.client.state, 'connected');
});

test('an entry beyond the next one is a violation: reconnect from what was received, skip nothing', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 2));
  await t.socket.pushInbox(4, text('four', 4));
  assert.deepEqual(seqs(t.events), ['inbox/1', 'inbox/2']);
  assert.equal(t.states.at(-1).reason, 'protocol_violation');
  await t.reconnected();
  assert.deepEqual(cursorsOf(t.socket), { generation: 'G1', inboxCursor: '2', conversationCursors: [] });
  await t.socket.pushInbox(3, ...texts(3, 2));
  assert.deepEqual(seqs(t.events), ['inbox/1', 'inbox/2', 'inbox/3', 'inbox/4']);
});

test('a reconnect goes on at what was received; a reload goes on at what was handled', async () => {
  const store = memoryCursorStore();
  const h = manualHandler();
  const t = start({ onEvent: h.handler, cursorStore: store });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 5));
  await h.release(2);
  await t.socket.drop();
  await t.reconnected();
  assert.equal(cursorsOf(t.socket).inboxCursor, '5');
  await t.client.close();
  const next = start({ cursorStore: store });
  await next.connected();
  assert.deepEqual(cursorsOf(next.socket), { generation: 'G1', inboxCursor: '2', conversationCursors: [] });
  await next.socket.pushInbox(3, ...texts(3, 1));
  assert.deepEqual(seqs(next.events), ['inbox/3']);
});

test('an event whose handler failed comes again and nothing is skipped', async () => {
  const h = manualHandler();
  const t = start({ onEvent: h.handler, retryBaseMs: 100 });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 2));
  await h.fail();
  assert.equal(t.errors[0].message, 'the handler failed');
  await t.socket.pushInbox(3, ...texts(3, 1));
  assert.deepEqual(seqs(h.seen), ['inbox/1']);
  await t.clock.advance(100);
  await h.release(3);
  assert.deepEqual(seqs(h.seen), ['inbox/1', 'inbox/1', 'inbox/2', 'inbox/3']);
  await t.clock.advance(1_000);
  assert.equal((await t.store.load()).inboxSeq, 3);
});

test('events() yields the same events; its next step says that the one before was handled', async () => {
  const t = start({ manual: true });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 3));
  const events = t.client.events();
  assert.equal((await events.next()).value.seq, 1);
  await t.clock.advance(1_000);
  assert.equal(await t.store.load(), null);
  assert.equal((await events.next()).value.seq, 2);
  await t.clock.advance(1_000);
  assert.equal((await t.store.load()).inboxSeq, 1);
});

test('leaving the events loop inside an event leaves that event for the next loop', async () => {
  const t = start({ manual: true });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 2));
  for await (const event of t.client.events()) if (event.seq === 2) break;
  const again = t.client.events();
  assert.equal((await again.next()).value.seq, 2);
});

test('the events have one reader', async () => {
  const t = start();
  await t.connected();
  await assert.rejects(t.client.events().next(), /one reader/);
});

test('events() ends when the client is closed', async () => {
  const t = start({ manual: true });
  await t.connected();
  const next = t.client.events().next();
  await settle();
  await t.client.close();
  assert.equal((await next).done, true);
});

test('after a final close by the server what was received is still delivered', async () => {
  const h = manualHandler();
  const t = start({ onEvent: h.handler });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 3));
  await t.socket.receive({ close: { code: 3504, reason: 'replaced' } });
  await h.release(3);
  assert.deepEqual(seqs(h.seen), ['inbox/1', 'inbox/2', 'inbox/3']);
  assert.equal((await t.store.load()).inboxSeq, 3);
});

test('after close no further event is begun; the one in hand is finished and saved', async () => {
  const h = manualHandler();
  const t = start({ onEvent: h.handler });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 3));
  await t.client.close();
  await h.release();
  assert.deepEqual(seqs(h.seen), ['inbox/1']);
  assert.equal((await t.store.load()).inboxSeq, 1);
});

test('a signal comes as an event without a seq and moves no cursor', async () => {
  const t = start();
  await t.connected();
  await t.socket.receive({ signal: { message: { conversationId: 'g:x', senderId: 'a', content: { contentType: 'typing', text: '…' } } } });
  assert.equal(t.events[0].type, 'signal');
  assert.equal(t.events[0].message.content.contentType, 'typing');
  await t.clock.advance(2_000);
  assert.equal(t.socket.packets('deviceAck').length, 0);
});

// ---------------------------------------------------------------- reset

const snapshot = (t) => t.receive({
  snapshot: {
    inboxSeq: '40', hasMore: false,
    conversations: [
      { conversationId: 'g:big', head: '90', fanout: 'READ', group: { name: 'Big', fanout: 'READ', memberCount: 500 }, unread: '3', readSeq: 87, joinedSeq: '1' },
      { conversationId: 'g:small', head: '5', fanout: 'WRITE', lastEntry: text('last', 5, 'g:small') },
    ],
  },
});

test('a new device gets a reset with the conversations of all snapshot pages, and goes on after it', async () => {
  const t = start();
  await t.connected({ reset: true, generation: 'G2', inboxHead: '40' });
  await t.socket.receive({ snapshot: { inboxSeq: '40', hasMore: true, conversations: [{ conversationId: 'd:1:a:b', head: 2, fanout: 'WRITE' }] } });
  assert.equal(t.events.length, 0);
  await snapshot(t.socket);
  const [reset] = t.events;
  assert.deepEqual([reset.type, reset.generation, reset.inboxSeq], ['reset', 'G2', 40]);
  assert.deepEqual(reset.conversations.map((c) => [c.conversationId, c.head, c.fanout, c.unread]), [['d:1:a:b', 2, 'WRITE', 0], ['g:big', 90, 'READ', 3], ['g:small', 5, 'WRITE', 0]]);
  assert.equal(reset.conversations[1].group.memberCount, 500);
  assert.equal(reset.conversations[2].lastEntry.content.text, 'last');
  await t.socket.pushInbox(41, text('next'));
  await t.socket.pushConversation('g:big', 91, text('big', 91, 'g:big'));
  assert.deepEqual(seqs(t.events), ['inbox/41', 'g:big/91']);
});

test('after a reset the cursors of conversations with fan-out on read are their heads', async () => {
  const t = start();
  await t.connected({ reset: true, generation: 'G2' });
  await snapshot(t.socket);
  await t.socket.drop();
  await t.reconnected({ generation: 'G2' });
  assert.deepEqual(cursorsOf(t.socket), { generation: 'G2', inboxCursor: '40', conversationCursors: [{ conversationId: 'g:big', conversationSeq: '90' }] });
});

test('what was buffered of the old generation is dropped before the reset is delivered', async () => {
  const h = manualHandler();
  const t = start({ onEvent: h.handler });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 5));
  await t.socket.drop();
  await t.reconnected({ reset: true, generation: 'G2' });
  await snapshot(t.socket);
  await h.release();
  assert.deepEqual(h.seen.map((e) => e.type), ['entry', 'reset']);
  await t.clock.advance(1_000);
  assert.equal(await t.store.load(), null, 'the old generation\'s entry, finished after the reset, moves no cursor');
  await h.release();
  await t.clock.advance(1_000);
  assert.deepEqual(await t.store.load(), { userId: 'me', generation: 'G2', inboxSeq: 40, conversations: [{ conversationId: 'g:big', seq: 90 }] });
});

test('a snapshot that breaks off leaves everything as it was, and is asked for again', async () => {
  const store = memoryCursorStore();
  await store.save({ userId: 'me', generation: 'G1', inboxSeq: 9, conversations: [] });
  const t = start({ cursorStore: store });
  await t.connected({ reset: true, generation: 'G2' });
  await t.socket.receive({ snapshot: { inboxSeq: '40', hasMore: true, conversations: [{ conversationId: 'g:half', head: 1 }] } });
  await t.socket.drop();
  await t.reconnected({ reset: true, generation: 'G2' });
  assert.deepEqual(cursorsOf(t.socket), { generation: 'G1', inboxCursor: '9', conversationCursors: [] });
  await snapshot(t.socket);
  assert.equal(t.events.length, 1);
  assert.equal(t.events[0].conversations.length, 2);
});

test('pushes between the pages of a snapshot wait for its end', async () => {
  const t = start();
  await t.connected({ reset: true, generation: 'G2' });
  await t.socket.pushInbox(41, text('early'));
  assert.equal(t.events.length, 0);
  await snapshot(t.socket);
  assert.deepEqual(t.events.map((e) => e.type), ['reset', 'entry']);
});

test('a new generation without a reset is a violation', async () => {
  const store = memoryCursorStore();
  await store.save({ userId: 'me', generation: 'G1', inboxSeq: 9, conversations: [] });
  const t = start({ cursorStore: store });
  t.client.connect();
  await settle();
  await t.socket.signIn({ generation: 'G2' });
  assert.equal(t.states.at(-1).reason, 'protocol_violation');
});

test('cursors of another user are not used', async () => {
  const store = memoryCursorStore();
  await store.save({ userId: 'someone', generation: 'G1', inboxSeq: 9, conversations: [] });
  const t = start({ cursorStore: store });
  t.client.connect();
  await settle();
  await t.socket.signIn();
  assert.equal(t.states.at(-1).reason, 'other_user');
  await t.reconnected({ reset: true });
  assert.equal(cursorsOf(t.socket).generation, undefined);
  await snapshot(t.socket);
  await t.clock.advance(1_000);
  assert.deepEqual([(await store.load()).userId, (await store.load()).inboxSeq], ['me', 40]);
});

// ---------------------------------------------------------------- cursors that the server knows no more

const beyondHead = (t, inPacket = true) => (inPacket
  ? t.receive({ requestId: t.last('signIn').requestId, error: { code: 304, reason: 'cursor_beyond_head', message: 'No.' } })
  : t.drop(3506, 'bad_cursor'));

async function withCursorBeyondHead(inPacket = true, options = {}) {
  const store = options.cursorStore ?? memoryCursorStore();
  await store.save({ userId: 'me', generation: 'G1', inboxSeq: 900, conversations: [{ conversationId: 'g:big', seq: 5 }] });
  const t = start({ ...options, cursorStore: store });
  const connected = outcome(t.client.connect());
  await settle();
  await t.socket.open();
  await beyondHead(t.socket, inPacket);
  return { t, store, connected };
}

for (const [name, inPacket] of [['the sign-in\'s error', true], ['the close code alone', false]]) {
  test(`a cursor beyond the head, by ${name}: the store is cleared and the client becomes a new device by itself`, async () => {
    const { t, store, connected } = await withCursorBeyondHead(inPacket);
    assert.deepEqual(await store.load(), { userId: '', generation: '', inboxSeq: 0, conversations: [] });
    assert.equal(t.errors.length, 1);
    assert.equal(t.errors[0].code, inPacket ? 304 : 3506);
    await t.reconnected({ reset: true });
    assert.deepEqual(cursorsOf(t.socket), { generation: undefined, inboxCursor: undefined, conversationCursors: undefined });
    assert.deepEqual([connected.done, connected.error], [true, undefined]);
    await snapshot(t.socket);
    assert.deepEqual(t.events.map((e) => e.type), ['reset']);
    await t.clock.advance(1_000);
    assert.equal((await store.load()).inboxSeq, 40);
  });

  test(`a refusal of the new device too, by ${name}, is final`, async () => {
    const { t, connected } = await withCursorBeyondHead(inPacket);
    await t.clock.advance(t.client.nextAttemptAt - t.clock.now);
    await t.socket.open();
    await beyondHead(t.socket, inPacket);
    assert.equal(t.client.state, 'closed');
    assert.equal(connected.error.code, inPacket ? 304 : 3506);
    await t.clock.advance(600_000);
    assert.equal(t.sockets.length, 2);
  });
}

test('a server that resets the device and then refuses the cursors it gave is not asked for ever', async () => {
  const { t } = await withCursorBeyondHead();
  await t.reconnected({ reset: true });
  await snapshot(t.socket);
  await t.socket.drop();
  await t.clock.advance(t.client.nextAttemptAt - t.clock.now);
  await t.socket.open();
  await beyondHead(t.socket);
  assert.deepEqual([t.client.state, t.client.closeReason.reason], ['closed', 'cursor_beyond_head']);
});

test('after the server has taken the new cursors, another loss of its store is survived as well', async () => {
  const { t } = await withCursorBeyondHead();
  await t.reconnected({ reset: true });
  await snapshot(t.socket);
  await t.socket.drop();
  await t.reconnected();
  await t.socket.drop();
  await t.clock.advance(t.client.nextAttemptAt - t.clock.now);
  await t.socket.open();
  await beyondHead(t.socket);
  await t.reconnected({ reset: true });
  assert.equal(t.client.state, 'connected');
});

test('a store that cannot be cleared is reported, and cleared later', async () => {
  const memory = memoryCursorStore();
  let fail = false;
  const store = { load: memory.load, save: (c) => { if (fail) throw new Error('full'); return memory.save(c); } };
  await memory.save({ userId: 'me', generation: 'G1', inboxSeq: 900, conversations: [] });
  const t = start({ cursorStore: store });
  t.client.connect();
  await settle();
  await t.socket.open();
  fail = true;
  await beyondHead(t.socket);
  await settle();
  assert.deepEqual(t.errors.map((e) => e.message), ['No.', 'full']);
  fail = false;
  await t.clock.advance(1_000);
  assert.equal((await memory.load()).generation, '');
});

test('what was received and not yet handled is dropped with the cursors, also above the buffer\'s bound', async () => {
  const h = manualHandler();
  const t = start({ onEvent: h.handler, maxBufferedEvents: 4 });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 6));
  assert.equal(t.states.at(-1).reason, 'behind');
  t.client.send({ to: 'bob' }, 'hi').catch(() => {});
  await t.clock.advance(0);
  await t.socket.open();
  await beyondHead(t.socket);
  await t.reconnected({ reset: true });
  await snapshot(t.socket);
  await h.release(2);
  assert.deepEqual(h.seen.map((e) => e.type), ['entry', 'reset']);
  await t.clock.advance(1_000);
  assert.equal((await t.store.load()).inboxSeq, 40);
});

// ---------------------------------------------------------------- saves and device acks

test('saves and device acks are gathered for a second, and are cumulative', async () => {
  let saves = 0;
  const memory = memoryCursorStore();
  const t = start({ cursorStore: { load: memory.load, save: (c) => { saves++; return memory.save(c); } } });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 10));
  await t.socket.pushConversation('g:big', 8, {}, {});
  assert.equal(saves, 0);
  await t.clock.advance(1_000);
  assert.equal(saves, 1);
  assert.deepEqual(t.socket.packets('deviceAck'), [{ inboxSeq: '10', conversations: [{ conversationId: 'g:big', conversationSeq: '9' }] }]);
  assert.equal(t.socket.last('deviceAck').requestId, undefined);
  await t.socket.pushInbox(11, text('x'));
  await t.clock.advance(1_000);
  assert.deepEqual(t.socket.packets('deviceAck')[1], { inboxSeq: '11' });
});

test('a hundred handled entries are saved and acked without waiting', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 100));
  await settle();
  assert.deepEqual(t.socket.packets('deviceAck'), [{ inboxSeq: '100' }]);
  assert.equal((await t.store.load()).inboxSeq, 100);
});

test('one save runs at a time and the newest cursors win', async () => {
  const saved = [];
  let finish;
  const t = start({ cursorStore: { load: async () => null, save: (c) => { saved.push(c.inboxSeq); return new Promise((resolve) => { finish = resolve; }); } } });
  await t.connected();
  for (let seq = 1; seq <= 3; seq++) {
    await t.socket.pushInbox(seq, text('x', seq));
    await t.clock.advance(1_000);
  }
  assert.deepEqual(saved, [1]);
  finish();
  await settle();
  assert.deepEqual(saved, [1, 3]);
});

test('a save that fails is reported and done again', async () => {
  let fail = true;
  const memory = memoryCursorStore();
  const t = start({ cursorStore: { load: memory.load, save: (c) => { if (fail) throw new Error('full'); return memory.save(c); } } });
  await t.connected();
  await t.socket.pushInbox(1, text('x'));
  await t.clock.advance(1_000);
  assert.equal(t.errors[0].message, 'full');
  fail = false;
  await t.clock.advance(1_000);
  assert.equal((await memory.load()).inboxSeq, 1);
});

test('close saves and acks what was handled', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 4));
  await t.client.close();
  assert.equal((await t.store.load()).inboxSeq, 4);
  assert.deepEqual(t.socket.packets('deviceAck'), [{ inboxSeq: '4' }]);
});

test('localStorageCursorStore keeps cursors under its key, and takes unreadable ones for a new device', async () => {
  const items = new Map();
  const storage = { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value) };
  const store = localStorageCursorStore('im:me', storage);
  assert.equal(await store.load(), null);
  const cursors = { userId: 'me', generation: 'G1', inboxSeq: 3, conversations: [{ conversationId: 'g:x', seq: 5 }] };
  await store.save(cursors);
  assert.deepEqual(await localStorageCursorStore('im:me', storage).load(), cursors);
  items.set('im:me', '{');
  assert.equal(await store.load(), null);
  items.set('im:me', '{"generation":"G1"}');
  const t = start({ cursorStore: store });
  await t.connected();
  assert.equal(cursorsOf(t.socket).generation, undefined);
});

// ---------------------------------------------------------------- the buffer's bound

test('above the buffer\'s bound the socket is closed, and opened again when the handler has caught up', async () => {
  const h = manualHandler();
  const t = start({ onEvent: h.handler, maxBufferedEvents: 10 });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 8));
  assert.equal(t.client.state, 'connected');
  await t.socket.pushInbox(9, ...texts(9, 4));
  assert.equal(t.socket.closed, true);
  assert.deepEqual([t.client.state, t.client.nextAttemptAt, t.states.at(-1).reason], ['waiting', null, 'behind']);
  await t.clock.advance(600_000);
  t.online.dispatchEvent(new Event('online'));
  await h.release(6);
  assert.equal(t.sockets.length, 1);
  await h.release(1);
  assert.equal(t.sockets.length, 2);
  await t.socket.signIn();
  assert.equal(cursorsOf(t.socket).inboxCursor, '12');
  await t.socket.pushInbox(13, ...texts(13, 2));
  await h.release(7);
  assert.deepEqual(seqs(h.seen), Array.from({ length: 14 }, (_, i) => `inbox/${i + 1}`));
});

test('the buffer is bounded in characters too', async () => {
  const h = manualHandler();
  const t = start({ onEvent: h.handler, maxBufferedChars: 5_000 });
  await t.connected();
  await t.socket.pushInbox(1, text('x'.repeat(6_000)));
  assert.equal(t.states.at(-1).reason, 'behind');
  await h.release();
  assert.equal(t.sockets.length, 2);
});

test('signals make no room for themselves in a full buffer', async () => {
  const h = manualHandler();
  const t = start({ onEvent: h.handler, maxBufferedEvents: 3 });
  await t.connected();
  for (let i = 0; i < 10; i++) await t.socket.receive({ signal: { message: text('t') } });
  assert.equal(t.client.state, 'connected');
  await h.release(3);
  assert.equal(h.seen.length, 3);
});

test('a handler that awaits its own send is not stuck behind a full buffer', async () => {
  const seen = [];
  let t;
  let blocked = true;
  t = start({
    maxBufferedEvents: 4,
    onEvent: async (event) => {
      if (blocked) await t.client.send({ to: 'bob' }, 'reply', { clientMessageId: 'reply' });
      blocked = false;
      seen.push(event);
    },
  });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 6)); // the handler's send is in flight when the socket is given up
  assert.equal(t.states.at(-1).reason, 'behind');
  const socket = await t.reconnected();
  assert.equal(socket.packets('send')[0].clientMessageId, 'reply');
  await socket.pushInbox(7, ...texts(7, 3)); // left on the server
  await socket.receive({ requestId: socket.last('send').requestId, sendAck: { result: 'STORED', clientMessageId: 'reply' } });
  assert.equal(socket.closed, true);
  assert.equal(t.sockets.length, 3);
  await t.socket.signIn();
  assert.equal(cursorsOf(t.socket).inboxCursor, '6');
  await t.socket.pushInbox(7, ...texts(7, 3));
  assert.deepEqual(seqs(seen), Array.from({ length: 9 }, (_, i) => `inbox/${i + 1}`));
});
