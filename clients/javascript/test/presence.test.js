// Presence and signals.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { outcome, settle, start } from './harness.js';

const online = (userId) => ({ userId, isOnline: true, deviceTypes: ['phone'] });

async function answer(t, kind, reply) {
  await t.socket.receive({ requestId: t.socket.last(kind).requestId, ...reply });
}

async function subscribed(t, target, users, isPartial = false) {
  const asked = t.client.subscribePresence(target);
  await settle();
  await answer(t, 'subscribePresence', { presenceSubscribed: { users, isPartial } });
  return asked;
}

test('a subscription answers with the states, and changes come as events', async () => {
  const t = start();
  await t.connected();
  const answered = await subscribed(t, { userIds: ['bob', 'cyd'] }, [online('bob'), { userId: 'cyd', lastSeenMs: '1700000000000' }]);
  assert.deepEqual(answered, {
    users: [
      { userId: 'bob', isOnline: true, deviceTypes: ['phone'], lastSeenMs: 0 },
      { userId: 'cyd', isOnline: false, deviceTypes: [], lastSeenMs: 1_700_000_000_000 },
    ],
    isPartial: false,
  });
  await t.socket.receive({ presenceChanged: { users: [online('cyd')] } });
  assert.deepEqual(t.events, [{ type: 'presence', users: [{ userId: 'cyd', isOnline: true, deviceTypes: ['phone'], lastSeenMs: 0 }] }]);
  await assert.rejects(t.client.subscribePresence({}), TypeError);
});

test('after a reconnect what may be seen is subscribed to again, and its states come as an event', async () => {
  const t = start();
  await t.connected();
  await subscribed(t, { userIds: ['bob', 'not-shown'] }, [online('bob')]);
  await subscribed(t, { conversationId: 'g:x' }, [online('cyd')], true);
  await subscribed(t, { userIds: ['dan'] }, [online('dan')]);
  void t.client.unsubscribePresence({ userIds: ['dan'] });
  await settle();
  await answer(t, 'unsubscribePresence', { presenceUnsubscribed: {} });
  await t.socket.drop();
  const socket = await t.reconnected();
  assert.deepEqual(socket.packets('subscribePresence'), [{ userIds: ['bob'] }, { conversationId: 'g:x' }]);
  const [users, conversation] = socket.sent.filter((p) => p.subscribePresence);
  await socket.receive({ requestId: users.requestId, presenceSubscribed: { users: [{ userId: 'bob' }] } });
  await socket.receive({ requestId: conversation.requestId, error: { code: 414, reason: 'presence_forbidden', message: 'no' } });
  assert.deepEqual(t.events.map((event) => event.type), ['presence', 'presenceEnded']);
  assert.equal(t.events[0].users[0].isOnline, false);
  assert.equal(t.events[1].conversationId, 'g:x');
  assert.equal(t.events[1].error.code, 414);

  // What was refused is over.
  await socket.drop();
  assert.deepEqual((await t.reconnected()).packets('subscribePresence'), [{ userIds: ['bob'] }]);
});

test('a resubscription that fails for now is tried again', async () => {
  const t = start();
  await t.connected();
  await subscribed(t, { userIds: ['bob'] }, [online('bob')]);
  await t.socket.drop();
  const socket = await t.reconnected();
  await socket.receive({ requestId: socket.last('subscribePresence').requestId, error: { code: 101, reason: 'storage_unavailable', message: '' } });
  assert.equal(t.events.length, 0);
  await t.clock.advance(10_000);
  assert.equal(socket.packets('subscribePresence').length, 2);
});

test('without anything named everything is unsubscribed', async () => {
  const t = start();
  await t.connected();
  await subscribed(t, { userIds: ['bob'] }, [online('bob')]);
  void t.client.unsubscribePresence();
  await settle();
  assert.deepEqual(t.socket.packets('unsubscribePresence'), [{}]);
  await answer(t, 'unsubscribePresence', { presenceUnsubscribed: {} });
  await t.socket.drop();
  assert.deepEqual((await t.reconnected()).packets('subscribePresence'), []);
});

test('a signal is sent once, and says whether it was relayed', async () => {
  const t = start();
  await assert.rejects(t.client.sendSignal({ to: 'bob' }, 'typing'), { reason: 'not_connected' });
  await t.connected();
  const sent = outcome(t.client.sendSignal({ to: 'bob' }, 'typing', '…'));
  await settle();
  assert.deepEqual(t.socket.packets('sendSignal'), [{ userId: 'bob', type: 'typing', data: '…' }]);
  await answer(t, 'sendSignal', { signalSent: {} });
  assert.equal(sent.value, false);
  const lost = outcome(t.client.sendSignal({ roomId: 'lobby' }, 'wave'));
  await settle();
  await t.socket.drop();
  assert.equal(lost.error.reason, 'connection_lost');
  assert.deepEqual((await t.reconnected()).packets('sendSignal'), []);
  await assert.rejects(t.client.sendSignal({ to: 'a', roomId: 'b' }, 'typing'), TypeError);
});

test('somebody\'s signal comes as an event', async () => {
  const t = start();
  await t.connected();
  await t.socket.receive({ signal: { sender: { conversationId: 'g:x', senderId: 'bob', senderDeviceId: 'phone', type: 'typing', data: '…', timeMs: '1700000000000' } } });
  assert.deepEqual(t.events, [{
    type: 'signal',
    message: null,
    sender: { conversationId: 'g:x', roomId: '', senderId: 'bob', senderDeviceId: 'phone', type: 'typing', data: '…', timeMs: 1_700_000_000_000 },
  }]);
});

test('changes of presence without end rest the connection, and the next one is told everything', async () => {
  const t = start({ manual: true, maxBufferedEvents: 4 });
  await t.connected();
  await subscribed(t, { userIds: ['bob'] }, [online('bob')]);
  for (let i = 0; i < 6 && !t.socket.closed; i++) await t.socket.receive({ presenceChanged: { users: [online('bob')] } });
  assert.equal(t.socket.closed, true);
  assert.equal(t.client.state, 'waiting');
});
