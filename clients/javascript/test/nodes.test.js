// Several nodes of one cluster: a connection that is lost goes on at the next one.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ImClient, memoryCursorStore } from '../im-client.js';
import { outcome, seqs, settle, start, texts } from './harness.js';

const A = 'ws://a/im';
const B = 'ws://b/im';
const C = 'ws://c/im';
const urls = (t) => t.sockets.map((socket) => socket.url);

test('a server that is gone is followed by the next one, and connect stays pending', async () => {
  const t = start({ url: [A, B] });
  const connected = outcome(t.client.connect());
  await settle();
  assert.equal(t.client.url, A);
  await t.socket.drop();
  assert.deepEqual([connected.done, t.client.state, t.client.url], [false, 'waiting', B]);
  await t.reconnected();
  assert.deepEqual([connected.done, connected.error], [true, undefined]);
  assert.deepEqual(urls(t), [A, B]);
});

test('a list of one is the same server again and again', async () => {
  const t = start({ url: [A] });
  await t.connected();
  await t.socket.drop();
  await t.reconnected();
  assert.deepEqual(urls(t), [A, A]);
});

test('the tries go round and round, and their waits grow as with one server', async () => {
  const t = start({ url: [A, B, C], reconnectBaseMs: 500, reconnectMaxMs: 4_000 });
  t.client.connect();
  await settle();
  const delays = [];
  for (let i = 0; i < 5; i++) {
    await t.socket.drop();
    delays.push(t.client.nextAttemptAt - t.clock.now);
    await t.clock.advance(delays.at(-1));
  }
  assert.deepEqual(urls(t), [A, B, C, A, B, C]);
  assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 4_000]);
});

test('a client that is connected stays where it is, and goes on from there: never back to the first', async () => {
  const t = start({ url: [A, B, C] });
  const connecting = t.client.connect();
  await settle();
  await t.socket.drop();
  await t.reconnected();
  await connecting;
  for (let i = 0; i < 60; i++) {
    await t.clock.advance(20_000);
    await t.socket.receive({ requestId: 9999, pong: {} });
  }
  assert.deepEqual(urls(t), [A, B]);
  await t.socket.drop();
  await t.reconnected();
  assert.deepEqual(urls(t), [A, B, C]);
});

test('a drain: the next node, after the time that the old one said and a random one of the backoff', async () => {
  const t = start({ url: [A, B], reconnectBaseMs: 500 });
  await t.connected();
  t.clock.random = 0.5;
  await t.socket.receive({ close: { code: 3000, reason: 'shutdown', reconnectAfterMs: 1_500 } });
  assert.equal(t.client.nextAttemptAt - t.clock.now, 1_750);
  await t.clock.advance(1_749);
  assert.deepEqual(urls(t), [A]);
  await t.clock.advance(1);
  assert.deepEqual(urls(t), [A, B]);
});

test('the browser coming online tries the next one at once', async () => {
  const t = start({ url: [A, B], reconnectBaseMs: 20_000 });
  await t.connected();
  await t.socket.drop();
  t.online.dispatchEvent(new Event('online'));
  await settle();
  assert.deepEqual(urls(t), [A, B]);
});

test('a connection that lived no longer than the wait before it does not start the backoff anew', async () => {
  const t = start({ url: [A, B], reconnectBaseMs: 500, stableAfterMs: 1_000 });
  await t.connected();
  await t.socket.receive({ close: { code: 3000, reason: 'shutdown', reconnectAfterMs: 9_500 } });
  await t.reconnected(); // after 10 s
  await t.clock.advance(10_000);
  await t.socket.drop();
  assert.equal(t.client.nextAttemptAt - t.clock.now, 1_000);
  await t.reconnected();
  await t.clock.advance(1_001);
  await t.socket.drop();
  assert.equal(t.client.nextAttemptAt - t.clock.now, 500);
});

for (const [name, trouble] of [
  ['is silent until the connect timeout', (t) => t.clock.advance(15_000)],
  ['does not answer a ping', async (t) => { await t.socket.signIn(); await t.clock.advance(30_000); }],
  ['says that it is full', async (t) => { await t.socket.open(); await t.socket.receive({ close: { code: 3005, reason: 'too_many_connections', reconnectAfterMs: 100 } }); }],
  ['cannot reach the cluster', async (t) => {
    await t.socket.open();
    await t.socket.receive({ requestId: t.socket.last('signIn').requestId, error: { code: 103, reason: 'cluster_unavailable' } });
    await t.socket.drop();
  }],
  ['speaks something else', (t) => t.socket.open('')],
  ['sends what the protocol does not allow', async (t) => { await t.socket.signIn(); await t.socket.receiveRaw('{'); }],
]) {
  test(`a server that ${name} is followed by the next one`, async () => {
    const t = start({ url: [A, B] });
    t.client.connect();
    await settle();
    await trouble(t);
    assert.deepEqual([t.client.state, t.client.url], ['waiting', B]);
    await t.reconnected();
    assert.equal(t.client.state, 'connected');
  });
}

test('a final answer of one server is final: the others are not asked', async () => {
  const t = start({ url: [A, B] });
  await t.connected();
  await t.socket.drop(3504, 'replaced');
  await t.clock.advance(600_000);
  assert.deepEqual([t.client.state, urls(t)], ['closed', [A]]);
});

test('the next node gets the cursors, the sends without an answer and nothing that was answered', async () => {
  const t = start({ url: [A, B] });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 3));
  const [first, second] = ['one', 'two'].map((words) => outcome(t.client.send({ to: 'x' }, words, { clientMessageId: words })));
  await settle();
  await t.socket.receive({ requestId: t.socket.sent.find((p) => p.send?.clientMessageId === 'one').requestId, sendAck: { clientMessageId: 'one' } });
  await t.socket.drop();
  await t.reconnected();
  const { generation, inboxCursor, attempt } = t.socket.packets('signIn')[0];
  assert.deepEqual([generation, inboxCursor, attempt], ['G1', '3', 2]);
  assert.deepEqual(t.socket.packets('send').map((send) => send.clientMessageId), ['two']);
  await t.socket.receive({ requestId: t.socket.last('send').requestId, sendAck: { clientMessageId: 'two', result: 'DUPLICATE' } });
  assert.deepEqual([first.done, second.value?.result], [true, 'DUPLICATE']);
  await t.socket.pushInbox(3, ...texts(3, 2));
  assert.deepEqual(seqs(t.events), ['inbox/1', 'inbox/2', 'inbox/3', 'inbox/4']);
});

test('a client that ends a connection by itself, to go on at once, stays at its server', async () => {
  const cursorStore = memoryCursorStore();
  await cursorStore.save({ userId: 'somebody else', generation: 'G1', inboxSeq: 7, conversations: [] });
  const t = start({ url: [A, B], cursorStore });
  t.client.connect();
  await settle();
  await t.socket.signIn();
  await t.reconnected();
  assert.deepEqual(urls(t), [A, A]);
});

test('a full buffer rests and goes on at the same server; one that is gone meanwhile is left', async () => {
  const t = start({ url: [A, B], manual: true, maxBufferedEvents: 2 });
  await t.connected();
  await t.socket.pushInbox(1, ...texts(1, 3));
  assert.deepEqual([t.client.state, t.client.nextAttemptAt, t.client.url], ['waiting', null, A]);
  const send = outcome(t.client.send({ to: 'x' }, 'hi')); // needs a connection before
  await t.reconnected();
  assert.deepEqual(urls(t), [A, A]);
  await t.socket.drop();
  await t.reconnected();
  assert.deepEqual([urls(t), send.done], [[A, A, B], false]);
});

test('an address that no WebSocket takes is reported and left out; the last one is a final refusal', async () => {
  const refused = new Set([A]);
  const made = [];
  class Strict {
    constructor(url) {
      made.push(url);
      if (refused.has(url)) throw new SyntaxError('bad');
    }

    close() {}
  }
  const t = start({ url: [A, B, C], WebSocket: Strict });
  const connected = outcome(t.client.connect());
  await settle();
  assert.deepEqual([made, t.client.state, t.client.url], [[A, B], 'connecting', B]);
  assert.deepEqual(t.errors.map((error) => error.reason), ['bad_url']);
  assert.match(t.errors[0].message, /ws:\/\/a\/im cannot be made/);
  refused.add(B).add(C);
  await t.clock.advance(600_000); // B does not answer, then comes C
  assert.deepEqual(made.slice(2), [C, B]);
  assert.deepEqual([connected.error?.reason, t.client.state], ['bad_url', 'closed']);
});

test('onError may close the client while an address is left out', async () => {
  const made = [];
  const t = start({
    url: [A, B],
    WebSocket: class { constructor(url) { made.push(url); throw new SyntaxError('bad'); } },
    onError: () => void t.client.close(),
  });
  await assert.rejects(t.client.connect(), { reason: 'closed' });
  assert.deepEqual(made, [A]);
});

test('the list is read once: what the application does to it later changes nothing', async () => {
  const url = [A, B];
  const t = start({ url });
  await t.connected();
  url.length = 0;
  await t.socket.drop();
  await t.reconnected();
  assert.deepEqual(urls(t), [A, B]);
});

test('a URL object is as good as its text', async () => {
  const t = start({ url: [new URL(A), B] });
  await t.connected();
  assert.equal(t.socket.url, A);
});

test('in a page a path is of its origin, and may stand beside whole addresses', async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'location');
  Object.defineProperty(globalThis, 'location', { value: new URL('https://chat.example.com/app/#x'), configurable: true });
  try {
    const t = start({ url: ['/im', 'wss://im2.example.com/im', 'https://im3.example.com/im'] });
    const connected = outcome(t.client.connect());
    for (let i = 0; i < 3; i++) {
      await settle();
      await t.socket.drop();
      await t.clock.advance(30_000);
    }
    assert.deepEqual(urls(t).slice(0, 3), ['wss://chat.example.com/im', 'wss://im2.example.com/im', 'wss://im3.example.com/im']);
    await t.client.close();
    await settle();
    assert.equal(connected.error.reason, 'closed');
  } finally {
    if (before) Object.defineProperty(globalThis, 'location', before);
    else delete globalThis.location;
  }
});

test('outside a page a path is refused with what to give, when a connection is made', async () => {
  const t = start({ url: '/im', WebSocket: class { constructor(url) { new URL(url); } } });
  await assert.rejects(t.client.connect(), (error) => error.reason === 'bad_url' && /give the whole address, wss:\/\//.test(error.message));
});

for (const [url, message] of [
  [[], /url is an empty list: name at least one server, new ImClient/],
  [[A, ''], /url is a string or a list of strings, not an empty one/],
  [[A, undefined], /not undefined: new ImClient/],
  [[A, [B]], /url is a string or a list of strings, not a list/],
  [7, /url is a string or a list of strings, not a number/],
  ['tcp://im.example.com:9000', /url cannot be tcp:\/\/im.example.com:9000: it begins with wss:\/\/ or ws:\/\//],
  [[A, 'localhost:5000/im'], /url cannot be localhost:5000\/im: it begins with wss:\/\/ or ws:\/\//],
  [[A, 'ws://b:99999/im'], /url cannot be ws:\/\/b:99999\/im: it is no valid address/],
]) {
  test(`url ${JSON.stringify(url)} is said with what fixes it, when the client is made`, () => {
    assert.throws(() => new ImClient({ url, deviceId: 'd', WebSocket: class {} }), (error) => error instanceof TypeError && message.test(error.message));
  });
}
