import assert from 'node:assert/strict';
import test from 'node:test';
import { ImClient, ImError, memoryCursorStore } from '../im-client.js';
import { outcome, settle, start, text } from './harness.js';

test('connect resolves when the server has signed the device in', async () => {
  const t = start({ token: 'secret', device: { type: 'web', clientVersion: '1' } });
  const connected = outcome(t.client.connect());
  await settle();
  assert.equal(t.socket.url, 'ws://test/im');
  assert.deepEqual(t.socket.protocols, ['im.v1.json']);
  await t.socket.open();
  const { instanceId, ...signIn } = t.socket.last('signIn').signIn;
  assert.match(instanceId, /^[0-9a-f]{32}$/);
  assert.deepEqual(signIn, { token: 'secret', deviceId: 'd1', attempt: 1, device: { type: 'web', clientVersion: '1' } });
  assert.equal(connected.done, false);
  await t.socket.receive({ requestId: t.socket.last('signIn').requestId, signedIn: { userId: 'me', generation: 'G1' } });
  assert.equal(connected.done, true);
  assert.equal(connected.error, undefined);
  assert.equal(t.client.userId, 'me');
  assert.deepEqual(t.states.map((s) => s.state), ['connecting', 'connected']);
});

test('a missing url, device id or WebSocket is said with the line that fixes it', () => {
  assert.throws(() => new ImClient({ deviceId: 'd' }), /url is missing/);
  assert.throws(() => new ImClient({ url: 'ws://x' }), /deviceId is missing/);
  if (!globalThis.WebSocket) assert.throws(() => new ImClient({ url: 'ws://x', deviceId: 'd' }), /hand one in/);
});

for (const [options, message] of [
  [{ deviceId: 7 }, /deviceId must be a string of 1 to 64 bytes/],
  [{ deviceId: 'é'.repeat(33) }, /deviceId must be a string of 1 to 64 bytes/],
  [{ token: {} }, /token cannot be an object: it is a string, or a function/],
  [{ onEvent: 'log' }, /onEvent cannot be a string: it is a function/],
  [{ cursorStore: new Map() }, /cursorStore must have load\(\) and save\(cursors\)/],
  [{ requestTimeoutMs: '30' }, /requestTimeoutMs cannot be a string: it is a number of 0 or more, by default 30000/],
  [{ reconnectBaseMs: -1 }, /reconnectBaseMs cannot be -1/],
  [{ flushIntervalMs: NaN }, /flushIntervalMs cannot be NaN/],
  [{ pingIntervalMs: 0 }, /pingIntervalMs cannot be 0: it is a number above 0, by default 25000/],
]) {
  test(`an option that cannot work is said when the client is made: ${Object.keys(options)} ${message.source.slice(0, 40)}`, () => {
    assert.throws(() => start(options), (error) => error instanceof TypeError && message.test(error.message));
  });
}

test('options that are undefined have their defaults, and what has no end may be Infinity', async () => {
  const t = start({ token: undefined, cursorStore: undefined, reconnectBaseMs: undefined, maxPending: Infinity, requestTimeoutMs: 0 });
  await t.connected();
});

test('a request that was not done says what is missing', async () => {
  const t = start({ requestTimeoutMs: 1_000, reconnectBaseMs: 5_000 });
  const before = outcome(t.client.send({ to: 'x' }, 'hi'));
  await t.clock.advance(1_000);
  assert.match(before.error.message, /requestTimeoutMs \(1000 ms\): connect\(\) was not called/);
  await assert.rejects(t.client.sendSignal({ to: 'x' }, 'typing'), /connect\(\) was not called/);
  await t.connected();
  const unanswered = outcome(t.client.send({ to: 'x' }, 'hi'));
  await t.clock.advance(1_000);
  assert.match(unanswered.error.message, /the server did not answer/);
  await t.socket.drop();
  const offline = outcome(t.client.send({ to: 'x' }, 'hi'));
  await assert.rejects(t.client.sendToRoom('r', 'hi'), /not connected \(waiting\)/);
  await t.clock.advance(1_000);
  assert.match(offline.error.message, /there is no connection/);
  await t.reconnected();
  await t.socket.drop(3504, 'replaced');
  assert.match(t.client.closeReason.message, /device id of its own/);
  await assert.rejects(t.client.send({ to: 'x' }, 'hi'), /closed \(replaced\): make a new ImClient/);
});

test('a token function that gives no text is reported and asked again', async () => {
  let asked = 0;
  const t = start({ token: async () => (++asked === 1 ? { token: 'ok' } : 'ok') });
  t.client.connect();
  await settle();
  assert.match(t.errors[0].message, /the token function gave an object/);
  await t.reconnected();
  assert.equal(t.socket.packets('signIn')[0].token, 'ok');
});

test('connect rejects with the error of a final refusal and does not try again', async () => {
  const t = start({ token: 'wrong' });
  const connected = outcome(t.client.connect());
  await settle();
  await t.socket.open();
  await t.socket.receive({ requestId: t.socket.last('signIn').requestId, error: { code: 302, reason: 'bad_token', message: 'No.' } });
  assert.ok(connected.error instanceof ImError);
  assert.deepEqual([connected.error.code, connected.error.reason, connected.error.message], [302, 'bad_token', 'No.']);
  assert.equal(t.client.state, 'closed');
  assert.equal(t.client.closeReason, connected.error);
  await t.clock.advance(600_000);
  assert.equal(t.sockets.length, 1);
});

test('a sign-in that meets a passing failure is tried again and connect stays pending', async () => {
  const t = start();
  const connected = outcome(t.client.connect());
  await settle();
  await t.socket.open();
  await t.socket.receive({ requestId: t.socket.last('signIn').requestId, error: { code: 101, reason: 'storage_unavailable' } });
  await t.socket.receive({ close: { code: 3007, reason: 'storage_unavailable' } });
  assert.equal(connected.done, false);
  await t.reconnected();
  assert.equal(connected.done, true);
  assert.equal(connected.error, undefined);
});

test('a refused handshake is tried again', async () => {
  const t = start();
  const connected = outcome(t.client.connect());
  await settle();
  await t.socket.drop(1006);
  assert.equal(t.client.state, 'waiting');
  await t.reconnected();
  assert.equal(connected.error, undefined);
  assert.equal(connected.done, true);
});

test('a connection that fails with an error and no close is tried again', async () => {
  const t = start();
  const connected = outcome(t.client.connect());
  await settle();
  t.socket.onerror({});
  assert.equal(t.client.state, 'waiting');
  await t.reconnected();
  t.socket.onerror({}); // of a connection that was: a close follows
  assert.equal(t.client.state, 'connected');
  assert.equal(connected.done, true);
});

test('a socket without the subprotocol is given up and tried again', async () => {
  const t = start();
  t.client.connect();
  await settle();
  await t.socket.open('');
  assert.equal(t.socket.closed, true);
  assert.equal(t.states.at(-1).reason, 'no_subprotocol');
  await t.reconnected();
});

test('a connection that does not get as far as signed in within the timeout is tried again', async () => {
  const t = start({ connectTimeoutMs: 5_000 });
  t.client.connect();
  await settle();
  await t.socket.open();
  await t.clock.advance(5_000);
  assert.equal(t.sockets[0].closed, true);
  assert.equal(t.states.at(-1).reason, 'connect_timeout');
  await t.reconnected();
});

test('the backoff has full jitter, grows to its ceiling, and starts anew after a stable connection', async () => {
  const t = start({ reconnectBaseMs: 500, reconnectMaxMs: 4_000 });
  t.client.connect();
  await settle();
  const delays = [];
  for (let i = 0; i < 5; i++) {
    await t.socket.drop();
    delays.push(t.client.nextAttemptAt - t.clock.now);
    await t.clock.advance(delays.at(-1));
  }
  assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 4_000]);
  t.clock.random = 0.25;
  await t.socket.drop();
  assert.equal(t.client.nextAttemptAt - t.clock.now, 1_000);
  t.clock.random = 1;
  await t.clock.advance(1_000);
  await t.socket.signIn();
  await t.clock.advance(5_000);
  await t.socket.drop();
  assert.equal(t.client.nextAttemptAt - t.clock.now, 500);
});

test('a server that signs in and drops at once is not hammered', async () => {
  const t = start({ reconnectBaseMs: 500 });
  await t.connected();
  await t.socket.drop();
  await t.clock.advance(500);
  await t.socket.signIn();
  await t.socket.drop();
  assert.equal(t.client.nextAttemptAt - t.clock.now, 1_000);
});

for (const code of [3000, 3001, 3003, 3004, 3499, 1001, 1006, 1011, 1005]) {
  test(`close code ${code} reconnects`, async () => {
    const t = start();
    await t.connected();
    await t.socket.drop(code);
    assert.equal(t.client.state, 'waiting');
    await t.reconnected();
    assert.equal(t.client.state, 'connected');
  });
}

for (const code of [1000, 3500, 3504, 3506, 3999, 4000, 4999]) {
  test(`close code ${code} is final, in the close frame as in the Close packet`, async () => {
    for (const inPacket of [true, false]) {
      const t = start();
      await t.connected();
      const send = outcome(t.client.send({ to: 'x' }, 'hi', { clientMessageId: 'c1' }));
      if (inPacket) await t.socket.receive({ close: { code, reason: 'why' } });
      else await t.socket.drop(code, 'why');
      assert.equal(t.client.state, 'closed');
      assert.deepEqual([t.client.closeReason.code, t.client.closeReason.reason], [code, 'why']);
      assert.deepEqual([send.error.code, send.error.reason, send.error.clientMessageId], [code, 'why', 'c1']);
      await assert.rejects(t.client.send({ to: 'x' }, 'hi'), { reason: 'closed' });
      await t.clock.advance(600_000);
      assert.equal(t.sockets.length, 1);
    }
  });
}

test('after a Close packet the client waits at least as long as it says', async () => {
  const t = start();
  t.clock.random = 0;
  await t.connected();
  await t.socket.receive({ close: { code: 3000, reason: 'shutdown', reconnectAfterMs: 1500 } });
  assert.equal(t.socket.closed, true);
  assert.deepEqual([t.client.state, t.states.at(-1).reason], ['waiting', 'shutdown']);
  assert.equal(t.client.nextAttemptAt, t.clock.now + 1500);
  await t.clock.advance(1499);
  assert.equal(t.sockets.length, 1);
  await t.clock.advance(1);
  assert.equal(t.sockets.length, 2);
});

test('the browser coming online ends the wait, but not the one that the server asked for', async () => {
  const t = start({ reconnectBaseMs: 20_000 });
  await t.connected();
  await t.socket.drop();
  t.online.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(t.sockets.length, 2);
  await t.socket.signIn();
  await t.socket.receive({ close: { code: 3000, reason: 'shutdown', reconnectAfterMs: 3_000 } });
  t.online.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(t.sockets.length, 2);
  assert.equal(t.client.nextAttemptAt, t.clock.now + 3_000);
  await t.clock.advance(3_000);
  assert.equal(t.sockets.length, 3);
});

test('the browser coming online makes a connected client ask at once whether the server is there', async () => {
  const t = start({ pingTimeoutMs: 4_000 });
  await t.connected();
  t.online.dispatchEvent(new Event('online'));
  assert.equal(t.socket.packets('ping').length, 1);
  await t.clock.advance(4_000);
  assert.equal(t.client.state, 'waiting');
});

test('a ping goes out well within the idle timeout', async () => {
  const t = start();
  await t.connected({ idleTimeoutMs: 30_000 });
  for (let i = 1; i <= 6; i++) {
    await t.clock.advance(10_000);
    assert.equal(t.socket.packets('ping').length, i);
    await t.socket.receive({ requestId: t.socket.last('ping').requestId, pong: { serverTimeMs: '1' } });
  }
  assert.equal(t.sockets.length, 1);
});

test('no answer to a ping is a dead connection; anything received is an answer', async () => {
  const t = start({ pingTimeoutMs: 5_000 });
  await t.connected({ idleTimeoutMs: 30_000 });
  await t.clock.advance(10_000);
  await t.socket.pushInbox(1, text('hi'));
  await t.clock.advance(9_000);
  assert.equal(t.client.state, 'connected');
  await t.clock.advance(6_000);
  assert.equal(t.states.find((s) => s.state === 'waiting').reason, 'ping_timeout');
  assert.equal(t.sockets[0].closed, true);
});

test('a token function is asked before every sign-in', async () => {
  let asked = 0;
  const t = start({ token: async () => `t${++asked}` });
  await t.connected();
  await t.socket.drop();
  await t.reconnected();
  assert.deepEqual(t.sockets.map((s) => s.packets('signIn')[0].token), ['t1', 't2']);
});

test('a token function that fails is reported and asked again', async () => {
  let asked = 0;
  const t = start({ token: async () => { if (++asked === 1) throw new Error('offline'); return 'ok'; } });
  t.client.connect();
  await settle();
  assert.equal(t.errors[0].message, 'offline');
  await t.reconnected();
  assert.equal(t.socket.packets('signIn')[0].token, 'ok');
});

test('an expired token is renewed by a token function', async () => {
  let asked = 0;
  const t = start({ token: () => `t${++asked}` });
  const connected = outcome(t.client.connect());
  await settle();
  await t.socket.open();
  await t.socket.receive({ requestId: t.socket.last('signIn').requestId, error: { code: 303, reason: 'token_expired' } });
  await t.socket.receive({ close: { code: 3002, reason: 'token_expired' } });
  await t.reconnected();
  assert.equal(connected.done && !connected.error, true);
  assert.equal(t.socket.packets('signIn')[0].token, 't2');
});

test('an expired token that is fixed text is a final refusal', async () => {
  const t = start({ token: 'old' });
  const connected = outcome(t.client.connect());
  await settle();
  await t.socket.open();
  await t.socket.receive({ requestId: t.socket.last('signIn').requestId, error: { code: 303, reason: 'token_expired' } });
  assert.equal(connected.error.reason, 'token_expired');
  assert.equal(t.client.state, 'closed');
});

test('a token function is asked again before the token expires, by the server\'s clock', async () => {
  let asked = 0;
  const t = start({ token: () => `t${++asked}`, pingIntervalMs: 1e9 });
  t.clock.now += 3_600_000; // this machine's clock is an hour ahead
  await t.connected({ idleTimeoutMs: 0, tokenExpiresAtMs: String(1_700_000_000_000 + 100_000) });
  await t.clock.advance(79_000);
  assert.equal(t.socket.packets('refreshToken').length, 0);
  await t.clock.advance(1_000);
  assert.deepEqual(t.socket.packets('refreshToken'), [{ token: 't2' }]);
  await t.socket.receive({ requestId: t.socket.last('refreshToken').requestId, tokenRefreshed: { tokenExpiresAtMs: '1700000180000' } });
  await t.socket.receive({ requestId: 9999, pong: {} });
  await t.clock.advance(80_000);
  assert.equal(t.sockets[0].packets('refreshToken').length, 2);
});

test('refreshToken hands over a newer token, which later sign-ins use', async () => {
  const t = start({ token: 'one' });
  await t.connected();
  const refreshed = outcome(t.client.refreshToken('two'));
  await settle();
  await t.socket.receive({ requestId: t.socket.last('refreshToken').requestId, tokenRefreshed: { tokenExpiresAtMs: 5 } });
  assert.deepEqual(refreshed.value, { tokenExpiresAtMs: 5 });
  await t.socket.drop();
  await t.reconnected();
  assert.equal(t.socket.packets('signIn')[0].token, 'two');
});

for (const [name, data] of [
  ['text that is no JSON', '{"push":'],
  ['JSON that is no packet', '[1]'],
  ['a binary message', new ArrayBuffer(3)],
  ['a number that is none', '{"push":{"firstInboxSeq":"x","entries":[]}}'],
  ['a seq beyond 2^53', '{"push":{"firstInboxSeq":"9007199254740993","entries":[{}]}}'],
  ['a push of no timeline', '{"push":{"entries":[{}]}}'],
  ['a field of the wrong type', '{"push":{"firstInboxSeq":"1","entries":[{"senderId":7}]}}'],
  ['a body of the wrong type', '{"push":{"firstInboxSeq":"1","entries":[{"content":"x"}]}}'],
  ['a snapshot that nobody announced', '{"snapshot":{"inboxSeq":"1"}}'],
  ['a second signedIn', '{"signedIn":{"userId":"me","generation":"G1"}}'],
]) {
  test(`malformed from the server, ${name}: reconnects`, async () => {
    const t = start();
    await t.connected();
    await t.socket.receiveRaw(data);
    assert.equal(t.socket.closed, true);
    assert.equal(t.states.at(-1).reason, 'protocol_violation');
    assert.equal(t.errors.length, 1);
    await t.reconnected();
    assert.equal(t.client.state, 'connected');
    assert.equal(t.events.length, 0);
  });
}

test('a packet kind, a body and a field that are newer than the client are ignored', async () => {
  const t = start();
  await t.connected();
  await t.socket.receive({ somethingNew: { a: 1 } });
  await t.socket.receive({ push: { firstInboxSeq: 1, extra: 1, entries: [{ conversationId: 'g:x', conversationSeq: 1, newBody: {} }] } });
  assert.equal(t.client.state, 'connected');
  assert.equal(t.events[0].entry.kind, null);
});

test('close ends the client: pending requests reject, nothing reconnects, no timer is left', async () => {
  const t = start();
  await t.connected();
  const send = outcome(t.client.send({ to: 'x' }, 'hi'));
  await t.client.close();
  await settle();
  assert.equal(t.socket.closed, true);
  assert.equal(send.error.reason, 'closed');
  assert.deepEqual([t.client.state, t.client.closeReason.reason], ['closed', 'closed']);
  assert.equal(t.clock.count, 0);
  await t.client.close();
  const again = start();
  await again.client.close();
  await assert.rejects(again.client.connect(), { reason: 'closed' });
});

test('close while connecting rejects connect', async () => {
  const t = start();
  const connected = outcome(t.client.connect());
  await settle();
  await t.client.close();
  await settle();
  assert.equal(connected.error.reason, 'closed');
  assert.equal(t.clock.count, 0);
});

test('a cursor store that cannot be read is reported and asked again', async () => {
  let asked = 0;
  const memory = memoryCursorStore();
  const t = start({ cursorStore: { load: async () => { if (++asked === 1) throw new Error('busy'); return memory.load(); }, save: memory.save } });
  t.client.connect();
  await settle();
  assert.equal(t.errors[0].message, 'busy');
  await t.reconnected();
});

test('a URL that no WebSocket takes is a final refusal', async () => {
  const t = start({ WebSocket: class { constructor() { throw new SyntaxError('bad'); } } });
  await assert.rejects(t.client.connect(), { reason: 'bad_url' });
});
