import assert from 'node:assert/strict';
import test from 'node:test';
import { outcome, settle, start } from './harness.js';

const message = (seq) => ({ senderId: 'bob', content: { contentType: 'text', text: `${seq}` } });
const push = (socket, first, count, { roomId = 'r', priority = 'NORMAL', epoch = 'e1' } = {}) => socket.receive({
  roomPush: { roomId, epoch, priority, firstRoomSeq: String(first), messages: Array.from({ length: count }, (_, i) => message(first + i)) },
});
const subscribed = (packet, { epoch = 'e1', normal = 0, high = 0 } = {}) => ({
  requestId: packet.requestId,
  roomSubscribed: { roomId: packet.subscribeRoom.roomId, epoch, heads: [{ priority: 'NORMAL', roomSeq: String(normal) }, { priority: 'HIGH', roomSeq: String(high) }] },
});
const seen = (t) => t.events.filter((e) => e.type.startsWith('room')).map((e) => (
  e.type === 'roomMessage' ? `${e.priority[0]}${e.seq}:${e.message.content.text}` : e.type === 'roomGap' ? `gap ${e.priority[0]}${e.from}-${e.to}` : `left ${e.error?.reason ?? ''}`));

async function subscribe(t, roomId, state, options) {
  const done = outcome(t.client.subscribeRoom(roomId, options));
  await settle();
  await t.socket.receive(subscribed(t.socket.last('subscribeRoom'), state));
  assert.ok(done.value, String(done.error));
  return done.value;
}

test('room messages come in order, what is missing is told before what follows, and each comes once', async () => {
  const t = start();
  await t.connected();
  assert.deepEqual(await subscribe(t, 'r', { normal: 5, high: 2 }), { roomId: 'r', epoch: 'e1', heads: { NORMAL: 5, HIGH: 2 } });
  await push(t.socket, 6, 2);
  await push(t.socket, 10, 1);
  await push(t.socket, 9, 3);
  await push(t.socket, 3, 1, { priority: 'HIGH' });
  await push(t.socket, 2, 1, { epoch: 'e2' });
  await push(t.socket, 1, 1, { roomId: 'other' });
  assert.deepEqual(seen(t), ['N6:6', 'N7:7', 'gap N8-9', 'N10:10', 'N11:11', 'H3:3', 'gap N1-1', 'N2:2']);
  assert.deepEqual(t.errors, []);
});

test('a replay begins where it begins and is no gap; the request says what is wanted', async () => {
  const t = start();
  await t.connected();
  await subscribe(t, 'r', { normal: 8 }, { leaveOthers: true, replayMessages: 3, replayMs: 2000 });
  assert.deepEqual(t.socket.last('subscribeRoom').subscribeRoom, { roomId: 'r', leaveOthers: true, replayMessages: 3, replayMs: '2000' });
  await push(t.socket, 7, 3);
  assert.deepEqual(seen(t), ['N7:7', 'N8:8', 'N9:9']);
});

test('a switch leaves the other rooms, and a room that was left is silent and is not subscribed again', async () => {
  const t = start();
  await t.connected();
  await subscribe(t, 'a');
  await subscribe(t, 'b', {}, { leaveOthers: true });
  await push(t.socket, 1, 1, { roomId: 'a' });
  const left = outcome(t.client.leaveRoom('b'));
  await settle();
  await push(t.socket, 1, 1, { roomId: 'b' });
  await t.socket.receive({ requestId: t.socket.last('leaveRoom').requestId, roomLeft: { roomId: 'b' } });
  assert.ok(left.done && !left.error);
  assert.deepEqual(seen(t), []);
  await t.socket.drop();
  const socket = await t.reconnected();
  assert.deepEqual(socket.packets('subscribeRoom'), []);
});

test('after a reconnect rooms are subscribed again from what was received; a refusal for a moment is tried again, another is told', async () => {
  const t = start();
  await t.connected();
  await subscribe(t, 'r', { normal: 5, high: 1 });
  await push(t.socket, 6, 1);
  await t.socket.drop();
  let socket = await t.reconnected();
  assert.deepEqual(socket.packets('subscribeRoom'), [{
    roomId: 'r', epoch: 'e1', cursors: [{ priority: 'NORMAL', roomSeq: '6' }, { priority: 'HIGH', roomSeq: '1' }], replayMessages: 0x7fffffff,
  }]);
  await socket.receive({ requestId: socket.last('subscribeRoom').requestId, error: { code: 103, reason: 'cluster_unavailable' } });
  await t.clock.advance(1000);
  assert.equal(socket.packets('subscribeRoom').length, 2);
  await socket.receive(subscribed(socket.last('subscribeRoom'), { normal: 20, high: 1 }));
  await push(socket, 9, 1);
  assert.deepEqual(seen(t), ['N6:6', 'gap N7-8', 'N9:9']);

  await socket.drop();
  socket = await t.reconnected();
  await socket.receive({ requestId: socket.last('subscribeRoom').requestId, error: { code: 413, reason: 'room_forbidden' } });
  assert.equal(seen(t).at(-1), 'left room_forbidden');
  await push(socket, 10, 1);
  assert.equal(seen(t).at(-1), 'left room_forbidden');
});

test('a replay that had not come yet is asked for again as it was', async () => {
  const t = start();
  await t.connected();
  await subscribe(t, 'r', { normal: 9 }, { replayMessages: 5 });
  await t.socket.drop();
  const socket = await t.reconnected();
  assert.equal(socket.packets('subscribeRoom')[0].replayMessages, 5);
  await socket.receive(subscribed(socket.last('subscribeRoom'), { normal: 9 }));
  await push(socket, 5, 5);
  assert.deepEqual(seen(t), ['N5:5', 'N6:6', 'N7:7', 'N8:8', 'N9:9']);
});

test('whom the host removes is told', async () => {
  const t = start();
  await t.connected();
  await subscribe(t, 'r');
  await t.socket.receive({ roomLeft: { roomId: 'r' } });
  assert.deepEqual(seen(t), ['left ']);
});

test('a priority that there is not is refused here; the server would close the connection', async () => {
  const t = start();
  await t.connected();
  await assert.rejects(t.client.sendToRoom('r', 'hi', { priority: 'high' }), TypeError);
  assert.deepEqual(t.socket.packets('sendToRoom'), []);
});

test('sendToRoom resolves with the seq, is refused as it is, and is never sent again', async () => {
  const t = start();
  await t.connected();
  const sent = outcome(t.client.sendToRoom('r', 'hi', { priority: 'HIGH', clientMessageId: 'c1' }));
  await settle();
  const packet = t.socket.last('sendToRoom');
  assert.deepEqual(packet.sendToRoom, { roomId: 'r', priority: 'HIGH', clientMessageId: 'c1', content: { contentType: 'text', text: 'hi' } });
  await t.socket.receive({ requestId: packet.requestId, roomSent: { roomId: 'r', priority: 'HIGH', roomSeq: '4', timeMs: '7' } });
  assert.deepEqual(sent.value, { roomId: 'r', priority: 'HIGH', seq: 4, timeMs: 7 });
  const lost = outcome(t.client.sendToRoom('r', 'lost'));
  await settle();
  await t.socket.drop();
  assert.equal(lost.error.reason, 'connection_lost');
  const socket = await t.reconnected();
  assert.deepEqual(socket.packets('sendToRoom'), []);
});

test('a buffer that room messages fill is emptied before the client comes back for more', async () => {
  const t = start({ maxBufferedEvents: 4, manual: true });
  await t.connected();
  await subscribe(t, 'r');
  await push(t.socket, 1, 6);
  assert.equal(t.client.state, 'waiting');
  const read = [];
  const reading = (async () => {
    for await (const event of t.client.events()) read.push(`${event.seq}`);
  })();
  await settle();
  await t.clock.advance(1000);
  await t.socket.signIn();
  assert.deepEqual(read, ['1', '2', '3', '4', '5', '6']);
  assert.deepEqual(t.socket.packets('subscribeRoom').at(-1).cursors[0], { priority: 'NORMAL', roomSeq: '6' });
  await t.client.close();
  await reading;
});
