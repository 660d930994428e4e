import assert from 'node:assert/strict';
import test from 'node:test';
import { ImError } from '../im-client.js';
import { outcome, settle, start } from './harness.js';

const ids = (socket) => socket.packets('send').map((s) => s.clientMessageId);
const ackOf = (packet, more = {}) => ({
  requestId: packet.requestId,
  sendAck: { result: 'STORED', clientMessageId: packet.send.clientMessageId, conversationId: 'd:1:a:b', conversationSeq: '7', timeMs: '1700000000001', ...more },
});
const errorOf = (packet, code, reason) => ({ requestId: packet.requestId, error: { code, reason, message: 'because' } });
const send = (t, id, more = {}) => outcome(t.client.send({ to: 'bob' }, id, { clientMessageId: id, ...more }));

test('send resolves with the send ack, its numbers as numbers', async () => {
  const t = start();
  await t.connected();
  const sent = outcome(t.client.send({ to: 'bob' }, 'hi'));
  await settle();
  const packet = t.socket.last('send');
  assert.match(packet.send.clientMessageId, /^[0-9a-f]{32}$/);
  assert.deepEqual(packet.send, { clientMessageId: packet.send.clientMessageId, userId: 'bob', content: { contentType: 'text', text: 'hi' } });
  await t.socket.receive(ackOf(packet));
  assert.deepEqual(sent.value, {
    result: 'STORED', clientMessageId: packet.send.clientMessageId, conversationId: 'd:1:a:b', conversationSeq: 7, timeMs: 1700000000001,
  });
});

test('content carries type, data as base64 and mentions, to a conversation', async () => {
  const t = start();
  await t.connected();
  outcome(t.client.send({ conversationId: 'g:x' }, { contentType: 'image', data: new Uint8Array([0, 250, 255]), mentions: ['*'] }, { clientMessageId: 'c' }));
  await settle();
  assert.deepEqual(t.socket.packets('send')[0], {
    clientMessageId: 'c', conversationId: 'g:x', content: { contentType: 'image', data: 'APr/', mentions: ['*'] },
  });
});

test('a target or a content that is none is a TypeError', async () => {
  const t = start();
  await t.connected();
  await assert.rejects(t.client.send({}, 'x'), TypeError);
  await assert.rejects(t.client.send({ to: 'a', conversationId: 'b' }, 'x'), TypeError);
  await assert.rejects(t.client.send({ to: 'a' }, 7), TypeError);
});

test('many sends are in flight at once and each gets its own answer', async () => {
  const t = start();
  await t.connected();
  const sends = ['a', 'b', 'c'].map((id) => send(t, id));
  await settle();
  const packets = t.socket.sent.filter((p) => p.send);
  assert.deepEqual(ids(t.socket), ['a', 'b', 'c']);
  await t.socket.receive(ackOf(packets[2], { conversationSeq: '3', result: 'DUPLICATE' }));
  assert.deepEqual(sends.map((s) => s.done), [false, false, true]);
  assert.equal(sends[2].value.result, 'DUPLICATE');
  await t.socket.receive(errorOf(packets[0], 402, 'not_a_member'));
  assert.ok(sends[0].error instanceof ImError);
  const { code, reason, message, clientMessageId } = sends[0].error;
  assert.deepEqual({ code, reason, message, clientMessageId }, { code: 402, reason: 'not_a_member', message: 'because', clientMessageId: 'a' });
  assert.equal(sends[1].done, false);
});

test('what was not acked is sent again in the original order with the same ids, before newer sends', async () => {
  const t = start();
  await t.connected();
  const sends = ['a', 'b', 'c'].map((id) => send(t, id));
  await settle();
  await t.socket.receive(ackOf(t.socket.sent.find((p) => p.send?.clientMessageId === 'b')));
  await t.socket.drop();
  sends.push(send(t, 'd'));
  await settle();
  const socket = await t.reconnected();
  assert.deepEqual(ids(socket), ['a', 'c', 'd']);
  assert.deepEqual(socket.packets('send')[0], { clientMessageId: 'a', userId: 'bob', content: { contentType: 'text', text: 'a' } });
  for (const packet of socket.sent.filter((p) => p.send)) await socket.receive(ackOf(packet, { result: 'DUPLICATE' }));
  assert.ok(sends.every((s) => s.value));
});

test('a send that waited for its retry when the connection was lost keeps its place behind an older one', async () => {
  const t = start({ retryBaseMs: 200, reconnectBaseMs: 1_000 });
  await t.connected();
  send(t, 'a');
  send(t, 'b');
  await settle();
  await t.socket.receive(errorOf(t.socket.last('send'), 100, 'internal'));
  await t.socket.drop();
  await t.reconnected();
  assert.deepEqual(ids(t.socket), ['a', 'b']);
});

test('a send before connect waits for the sign-in', async () => {
  const t = start();
  const sent = send(t, 'early');
  await t.connected();
  assert.deepEqual(ids(t.socket), ['early']);
  await t.socket.receive(ackOf(t.socket.last('send')));
  assert.equal(sent.value.clientMessageId, 'early');
});

for (const [code, reason] of [[100, 'internal'], [101, 'storage_unavailable'], [102, 'shutting_down'], [203, 'rate_limited']]) {
  test(`${reason} is retried with the same id after a backoff`, async () => {
    const t = start({ retryBaseMs: 200 });
    await t.connected();
    const sent = send(t, 'a');
    await settle();
    await t.socket.receive(errorOf(t.socket.last('send'), code, reason));
    assert.equal(ids(t.socket).length, 1);
    await t.clock.advance(200);
    assert.deepEqual(ids(t.socket), ['a', 'a']);
    await t.socket.receive(errorOf(t.socket.last('send'), code, reason));
    await t.clock.advance(200);
    assert.equal(ids(t.socket).length, 2, 'the backoff grows');
    await t.clock.advance(200);
    assert.equal(ids(t.socket).length, 3);
    await t.socket.receive(ackOf(t.socket.last('send')));
    assert.equal(sent.value.result, 'STORED');
  });
}

test('a retryable error becomes the outcome when the request timeout is over', async () => {
  const t = start({ requestTimeoutMs: 1_000, retryBaseMs: 300, retryMaxMs: 300 });
  await t.connected();
  const sent = send(t, 'a');
  await settle();
  for (let i = 0; i < 3; i++) {
    await t.socket.receive(errorOf(t.socket.last('send'), 101, 'storage_unavailable'));
    await t.clock.advance(300);
  }
  await t.socket.receive(errorOf(t.socket.last('send'), 101, 'storage_unavailable'));
  await t.clock.advance(100);
  assert.deepEqual([sent.error.code, sent.error.clientMessageId], [101, 'a']);
  const before = ids(t.socket).length;
  await t.clock.advance(10_000);
  assert.equal(ids(t.socket).length, before);
});

test('no answer within the request timeout, being offline included, is a timeout that names the id', async () => {
  const t = start({ requestTimeoutMs: 2_000, reconnectBaseMs: 5_000 });
  await t.connected();
  const sent = send(t, 'a');
  await settle();
  await t.socket.drop();
  await t.clock.advance(2_000);
  assert.deepEqual([sent.error.reason, sent.error.clientMessageId], ['timeout', 'a']);
  await t.reconnected();
  assert.deepEqual(ids(t.socket), []);
});

test('while a send waits for its retry, later ones to the same target wait behind it and others do not', async () => {
  const t = start({ retryBaseMs: 200 });
  await t.connected();
  send(t, 'a');
  await settle();
  await t.socket.receive(errorOf(t.socket.last('send'), 100, 'internal'));
  send(t, 'b');
  outcome(t.client.send({ conversationId: 'g:x' }, 'other', { clientMessageId: 'other' }));
  await settle();
  assert.deepEqual(ids(t.socket), ['a', 'other']);
  await t.clock.advance(200);
  assert.deepEqual(ids(t.socket), ['a', 'other', 'a', 'b']);
});

test('a rate limit holds back every later request', async () => {
  const t = start({ retryBaseMs: 200 });
  await t.connected();
  send(t, 'a');
  send(t, 'b');
  await settle();
  const [a, b] = t.socket.sent.filter((p) => p.send);
  await t.socket.receive(errorOf(a, 203, 'rate_limited'));
  await t.socket.receive(errorOf(b, 203, 'rate_limited'));
  outcome(t.client.send({ conversationId: 'g:x' }, 'c', { clientMessageId: 'c' }));
  await settle();
  assert.equal(ids(t.socket).length, 2);
  await t.clock.advance(200);
  assert.deepEqual(ids(t.socket).slice(2), ['a', 'b', 'c']);
});

test('a send that times out while others wait behind it lets them go', async () => {
  const t = start({ requestTimeoutMs: 1_000, retryBaseMs: 5_000 });
  await t.connected();
  send(t, 'a');
  await settle();
  await t.socket.receive(errorOf(t.socket.last('send'), 100, 'internal'));
  await t.clock.advance(500);
  send(t, 'b');
  await settle();
  assert.deepEqual(ids(t.socket), ['a']);
  await t.clock.advance(500);
  assert.deepEqual(ids(t.socket), ['a', 'b']);
});

test('a non-persistent send is never sent again and needs a connection', async () => {
  const t = start();
  await assert.rejects(t.client.send({ to: 'bob' }, 'x', { nonPersistent: true }), { reason: 'not_connected' });
  await t.connected();
  const relayed = send(t, 'n1', { nonPersistent: true });
  await settle();
  assert.equal(t.socket.packets('send')[0].nonPersistent, true);
  await t.socket.receive(ackOf(t.socket.last('send'), { result: 'RELAYED', conversationSeq: undefined }));
  assert.deepEqual([relayed.value.result, relayed.value.conversationSeq], ['RELAYED', 0]);
  const limited = send(t, 'n2', { nonPersistent: true });
  await settle();
  await t.socket.receive(errorOf(t.socket.last('send'), 203, 'rate_limited'));
  assert.equal(limited.error.reason, 'rate_limited');
  const lost = send(t, 'n3', { nonPersistent: true });
  await settle();
  await t.socket.drop();
  assert.equal(lost.error.reason, 'connection_lost');
  await t.reconnected();
  assert.deepEqual(ids(t.socket), []);
});

test('more pending requests than the limit are refused, not queued', async () => {
  const t = start({ maxPending: 2 });
  await t.connected();
  send(t, 'a');
  send(t, 'b');
  await assert.rejects(t.client.send({ to: 'bob' }, 'c', { clientMessageId: 'c' }), { reason: 'too_many_pending', clientMessageId: 'c' });
});

test('a packet that is larger than the server takes is refused here, since it would end the session', async () => {
  const t = start();
  await t.connected({ maxFrameBytes: 200 });
  await assert.rejects(t.client.send({ to: 'bob' }, 'é'.repeat(90)), { code: 404, reason: 'body_too_large' });
  send(t, 'small');
  await settle();
  assert.deepEqual(ids(t.socket), ['small']);
});

test('an ack never moves a cursor', async () => {
  const t = start();
  await t.connected();
  send(t, 'a');
  await settle();
  await t.socket.receive(ackOf(t.socket.last('send')));
  await t.socket.drop();
  await t.reconnected();
  assert.equal(t.socket.packets('signIn')[0].inboxCursor, '0');
});

test('history reads the newest entries, those before and those after a seq', async () => {
  const t = start();
  await t.connected();
  const page = outcome(t.client.history('g:x'));
  await settle();
  assert.deepEqual(t.socket.last('sync').sync, { conversation: { conversationId: 'g:x', beforeConversationSeq: '0' } });
  await t.socket.receive({
    requestId: t.socket.last('sync').requestId,
    syncPage: {
      conversationId: 'g:x', hasMore: true, head: '9', floor: 1,
      entries: [{ conversationId: 'g:x', conversationSeq: '9', ordinal: '4', senderId: 'a', content: { contentType: 'image', data: 'APr/', mentions: ['me'] } }],
    },
  });
  assert.deepEqual(page.value, {
    conversationId: 'g:x', hasMore: true, head: 9, floor: 1,
    entries: [{
      conversationId: 'g:x', conversationSeq: 9, ordinal: 4, senderId: 'a', senderDeviceId: '', clientMessageId: '', timeMs: 0, gone: false,
      kind: 'content', content: { contentType: 'image', text: '', data: new Uint8Array([0, 250, 255]), mentions: ['me'] },
    }],
  });
  outcome(t.client.history('g:x', { before: 9, limit: 20 }));
  outcome(t.client.history('g:x', { after: 4 }));
  await settle();
  assert.deepEqual(t.socket.packets('sync').slice(1), [
    { conversation: { conversationId: 'g:x', beforeConversationSeq: '9' }, maxEntries: 20 },
    { conversation: { conversationId: 'g:x', afterConversationSeq: '4' } },
  ]);
  await assert.rejects(t.client.history('g:x', { before: 1, after: 1 }), TypeError);
});

test('markRead resolves with the mark as it stands, and survives a reconnect', async () => {
  const t = start();
  await t.connected();
  const marked = outcome(t.client.markRead('g:x', 5));
  await settle();
  assert.deepEqual(t.socket.packets('markRead'), [{ conversationId: 'g:x', conversationSeq: '5' }]);
  await t.socket.drop();
  await t.reconnected();
  await t.socket.receive({ requestId: t.socket.last('markRead').requestId, markedRead: { conversationId: 'g:x', conversationSeq: '8' } });
  assert.deepEqual(marked.value, { conversationId: 'g:x', conversationSeq: 8 });
});

test('a reply of another kind than the request is a protocol violation, and the request goes on after it', async () => {
  const t = start();
  await t.connected();
  const sent = send(t, 'a');
  await settle();
  await t.socket.receive({ requestId: t.socket.last('send').requestId, markedRead: {} });
  assert.equal(t.states.at(-1).reason, 'protocol_violation');
  await t.reconnected();
  await t.socket.receive(ackOf(t.socket.last('send')));
  assert.equal(sent.value.result, 'STORED');
});
