// The client against a real server whose tokens are user names: IM_SERVER_URL=ws://127.0.0.1:5000/im node --test test/real-server.test.js
// (Node 20 and 21: with --experimental-websocket). With IM_NODE_URLS="ws://… ws://…", two nodes of one cluster, also against those; a POST to
// /stop of the first one must stop it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { ImClient, memoryCursorStore } from '../im-client.js';

const url = process.env.IM_SERVER_URL;
const options = { timeout: 30_000, skip: url ? false : 'IM_SERVER_URL is not set: give it the URL of a server, ws://…/im' };
const nodes = (process.env.IM_NODE_URLS ?? '').split(' ').filter(Boolean);
const twoNodes = { timeout: 30_000, skip: nodes.length === 2 ? false : 'IM_NODE_URLS is not set: give it the URLs of two nodes' };

/** A user's device, with what it has received and its sockets. */
class Device {
  events = [];
  errors = [];
  sockets = [];
  #waiting = new Set();

  constructor(user, { deviceId = 'js', ...rest } = {}) {
    assert.ok(globalThis.WebSocket, 'this Node has no WebSocket: run it with --experimental-websocket');
    const { sockets } = this;
    class Socket extends WebSocket {
      constructor(...args) {
        super(...args);
        sockets.push(this);
      }
    }
    this.client = new ImClient({
      url, deviceId, token: user, WebSocket: Socket, reconnectBaseMs: 50, requestTimeoutMs: 10_000,
      onError: (error) => this.errors.push(error),
      onEvent: (event) => {
        this.events.push(event);
        this.#look();
      },
      ...rest,
    });
  }

  get texts() { return this.events.filter((e) => e.type === 'entry' && e.entry.content).map((e) => e.entry.content.text); }

  /** Resolves when the condition holds and the client has taken back the event that made it so. */
  async until(what, condition) {
    if (!condition()) {
      await new Promise((resolve, reject) => {
        const waiting = { condition, done: () => { clearTimeout(timer); resolve(); } };
        const timer = setTimeout(() => {
          this.#waiting.delete(waiting);
          const seen = JSON.stringify({ state: this.client.state, texts: this.texts, errors: this.errors.map(String) });
          reject(new Error(`${this.client.userId} waited in vain for ${what}: ${seen}`));
        }, 10_000);
        this.#waiting.add(waiting);
      });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  #look() {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.condition()) continue;
      this.#waiting.delete(waiting);
      waiting.done();
    }
  }
}

/** Users of this run only, so that a server may be used again; their devices are closed at the end. */
async function withUsers(run) {
  const id = randomUUID().slice(0, 8);
  const devices = [];
  const device = (name, given) => {
    const made = new Device(`${name}-${id}`, given);
    devices.push(made);
    return made;
  };
  try {
    await run({ device, name: (name) => `${name}-${id}` });
    assert.deepEqual(devices.flatMap((each) => each.errors), [], 'no trouble was reported');
  } finally {
    await Promise.all(devices.map((each) => each.client.close()));
  }
}

test('a new device signs in with its token and starts with a reset', options, () => withUsers(async ({ device, name }) => {
  const alice = device('alice');
  await alice.client.connect();
  assert.equal(alice.client.userId, name('alice'));
  await alice.until('the reset', () => alice.events.length > 0);
  assert.deepEqual([alice.events[0].type, alice.events[0].conversations], ['reset', []]);
  assert.ok(alice.events[0].generation);
}));

test('a token that the server does not take is a final refusal', options, async () => {
  const device = new Device('bad');
  await assert.rejects(device.client.connect(), { reason: 'bad_token' });
  assert.equal(device.client.state, 'closed');
});

test('a direct chat goes both ways, each message once and in order on both sides', options, () => withUsers(async ({ device, name }) => {
  const [alice, bob] = [device('alice'), device('bob')];
  await Promise.all([alice.client.connect(), bob.client.connect()]);
  const first = await alice.client.send({ to: name('bob') }, 'hello');
  assert.deepEqual([first.result, first.conversationSeq], ['STORED', 1]);
  await bob.until('hello', () => bob.texts.length === 1);
  const answer = await bob.client.send({ conversationId: first.conversationId }, { contentType: 'text', text: 'hi é 😀', data: new Uint8Array([0, 255, 7]) });
  assert.deepEqual([answer.conversationId, answer.conversationSeq], [first.conversationId, 2]);
  const more = Array.from({ length: 50 }, (_, i) => `more ${i}`);
  await Promise.all(more.map((words) => alice.client.send({ to: name('bob') }, words)));
  for (const each of [alice, bob]) {
    await each.until('all messages', () => each.texts.length >= 52);
    assert.deepEqual(each.texts, ['hello', 'hi é 😀', ...more]);
    assert.deepEqual(each.events.filter((e) => e.type === 'entry').map((e) => e.seq), Array.from({ length: 52 }, (_, i) => i + 1));
  }
  const { entry } = alice.events.find((e) => e.entry?.conversationSeq === 2);
  assert.deepEqual([entry.senderId, [...entry.content.data]], [name('bob'), [0, 255, 7]]);
}));

test('the same client message id is stored once', options, () => withUsers(async ({ device, name }) => {
  const [alice, bob] = [device('alice'), device('bob')];
  await Promise.all([alice.client.connect(), bob.client.connect()]);
  const first = await alice.client.send({ to: name('bob') }, 'once', { clientMessageId: 'm1' });
  const again = await alice.client.send({ to: name('bob') }, 'once', { clientMessageId: 'm1' });
  assert.deepEqual([first.result, again.result, again.conversationSeq], ['STORED', 'DUPLICATE', first.conversationSeq]);
  await alice.client.send({ to: name('bob') }, 'twice');
  await bob.until('twice', () => bob.texts.includes('twice'));
  assert.deepEqual(bob.texts, ['once', 'twice']);
}));

test('after its socket was closed the client reconnects by itself, misses nothing and gets nothing twice', options, () => withUsers(async ({ device, name }) => {
  const [alice, bob] = [device('alice'), device('bob')];
  await Promise.all([alice.client.connect(), bob.client.connect()]);
  await alice.client.send({ to: name('bob') }, 'before');
  await bob.until('before', () => bob.texts.length === 1);
  for (let round = 1; round <= 3; round++) {
    bob.sockets.at(-1).close(3001, 'cut'); // 1000 would come back, which is a final code
    await alice.client.send({ to: name('bob') }, `meanwhile ${round}`);
    await bob.client.send({ to: name('alice') }, `from bob ${round}`); // waits for the new connection
    await alice.client.send({ to: name('bob') }, `after ${round}`);
    await bob.until(`round ${round}`, () => bob.texts.includes(`after ${round}`));
    assert.equal(bob.sockets.length, round + 1);
  }
  const expected = ['before', ...[1, 2, 3].flatMap((round) => [`meanwhile ${round}`, `from bob ${round}`, `after ${round}`])];
  assert.deepEqual(bob.texts, expected);
  await alice.until('all', () => alice.texts.length >= expected.length);
  assert.deepEqual(alice.texts, expected);
  assert.equal(bob.events.filter((e) => e.type === 'reset').length, 1);
}));

test('a reload goes on at the saved cursor, without a reset', options, () => withUsers(async ({ device, name }) => {
  const cursorStore = memoryCursorStore();
  const [alice, bob] = [device('alice'), device('bob', { cursorStore })];
  await Promise.all([alice.client.connect(), bob.client.connect()]);
  await alice.client.send({ to: name('bob') }, 'one');
  await bob.until('one', () => bob.texts.length === 1);
  await bob.client.close();
  await alice.client.send({ to: name('bob') }, 'two');
  const reloaded = device('bob', { cursorStore });
  await reloaded.client.connect();
  await reloaded.until('two', () => reloaded.texts.length === 1);
  assert.deepEqual(reloaded.events.map((e) => [e.type, e.seq, e.entry?.content.text]), [['entry', 2, 'two']]);
}));

test('a saved cursor beyond the head: the client becomes a new device by itself', options, async () => {
  const user = `alice-${randomUUID().slice(0, 8)}`;
  const before = new Device(user);
  await before.client.connect();
  await before.until('the reset', () => before.events.length > 0);
  await before.client.close();
  const cursorStore = memoryCursorStore();
  await cursorStore.save({ userId: user, generation: before.events[0].generation, inboxSeq: 1_000, conversations: [] });
  const after = new Device(user, { cursorStore });
  try {
    await after.client.connect();
    await after.until('the reset', () => after.events.length > 0);
    assert.deepEqual(after.events.map((e) => e.type), ['reset']);
    assert.deepEqual(after.errors.map((error) => error.reason), ['cursor_beyond_head']);
    assert.equal(after.sockets.length, 2);
  } finally {
    await after.client.close();
  }
  assert.equal((await cursorStore.load()).inboxSeq, 0);
});

test('history pages backwards and forwards, each page oldest first', options, () => withUsers(async ({ device, name }) => {
  const alice = device('alice');
  await alice.client.connect();
  let conversationId = '';
  for (let i = 1; i <= 10; i++) ({ conversationId } = await alice.client.send({ to: name('bob') }, `${i}`));
  const read = async (position) => {
    const page = await alice.client.history(conversationId, position);
    return [page.entries.map((entry) => entry.conversationSeq), page.hasMore, page.head];
  };
  assert.deepEqual(await read({ limit: 4 }), [[7, 8, 9, 10], true, 10]);
  assert.deepEqual(await read({ before: 7, limit: 4 }), [[3, 4, 5, 6], true, 10]);
  assert.deepEqual(await read({ before: 3, limit: 4 }), [[1, 2], false, 10]);
  assert.deepEqual(await read({ after: 8, limit: 4 }), [[9, 10], false, 10]);
  await assert.rejects(device('carol').client.connect().then(() => alice.client.history('g:none')), { name: 'ImError' });
}));

test('markRead moves the mark for all devices of the user, and never back', options, () => withUsers(async ({ device, name }) => {
  const [alice, bob, tablet] = [device('alice'), device('bob'), device('bob', { deviceId: 'tablet' })];
  await Promise.all([alice, bob, tablet].map((each) => each.client.connect()));
  let conversationId = '';
  for (let i = 1; i <= 3; i++) ({ conversationId } = await alice.client.send({ to: name('bob') }, `${i}`));
  await bob.until('3', () => bob.texts.length === 3);
  assert.equal((await bob.client.markRead(conversationId, 2)).conversationSeq, 2);
  assert.equal((await bob.client.markRead(conversationId, 1)).conversationSeq, 2);
  const moved = () => tablet.events.find((e) => e.entry?.readMarkMoved)?.entry.readMarkMoved;
  await tablet.until('the mark', () => moved() !== undefined);
  assert.deepEqual([moved().conversationId, moved().conversationSeq], [conversationId, 2]);
}));

test('a room: live, replayed, and filled after a lost connection', options, () => withUsers(async ({ device, name }) => {
  const alice = device('alice');
  const bob = device('bob');
  await Promise.all([alice.client.connect(), bob.client.connect()]);
  const room = name('room');
  const heard = () => bob.events.filter((e) => e.type === 'roomMessage').map((e) => `${e.priority[0]}${e.seq} ${e.message.content.text}`);
  assert.equal((await alice.client.sendToRoom(room, 'one')).seq, 1);
  const state = await bob.client.subscribeRoom(room, { replayMessages: 10 });
  assert.deepEqual(state.heads, { NORMAL: 1, HIGH: 0 });
  await alice.client.sendToRoom(room, 'two', { priority: 'HIGH' });
  await bob.until('the replay and the live message', () => heard().length === 2);
  assert.deepEqual(heard().sort(), ['H1 two', 'N1 one']);
  bob.sockets.at(-1).close(3001, 'cut');
  await alice.client.sendToRoom(room, 'three');
  await bob.until('the message that was sent meanwhile', () => heard().includes('N2 three'));
  await bob.client.leaveRoom(room);
  await alice.client.sendToRoom(room, 'four');
  assert.deepEqual(heard().sort(), ['H1 two', 'N1 one', 'N2 three']);
  assert.deepEqual(bob.events.filter((e) => e.type === 'roomGap' || e.type === 'roomLeft'), []);
}));

test('a node that is stopped: its clients go on at the other one, nothing is lost, doubled or out of order', twoNodes, () => withUsers(async ({ device, name }) => {
  const [stopped, other] = nodes;
  const [alice, bob] = ['alice', 'bob'].map((user) => device(user, { url: nodes, reconnectBaseMs: 200 }));
  const carol = device('carol', { url: [other, stopped] });
  await Promise.all([alice, bob, carol].map((each) => each.client.connect()));
  assert.deepEqual([alice, bob, carol].map((each) => each.client.url), [stopped, stopped, other]);
  const count = 120;
  const pairs = [[alice, bob], [bob, alice], [alice, carol], [carol, alice]];
  const user = (each) => each.client.userId;
  const line = (from, to, i) => `${user(from)} to ${user(to)} ${i}`;
  let stopping;
  const talk = async ([from, to]) => {
    const acks = [];
    for (let i = 1; i <= count; i++) {
      acks.push(from.client.send({ to: user(to) }, line(from, to, i)));
      if (from === alice && to === bob && i === count / 3) stopping = fetch(new URL('/stop', stopped.replace(/^ws/, 'http')), { method: 'POST' });
      if (i % 4 === 0) await acks.at(-2); // so that some are always on their way
    }
    return Promise.all(acks);
  };
  const acks = await Promise.all(pairs.map(talk));
  assert.equal((await stopping).status, 200);
  for (const each of acks) assert.deepEqual(each.map((ack) => ack.conversationSeq), each.map((ack) => ack.conversationSeq).sort((a, b) => a - b));
  for (const each of [alice, bob, carol]) {
    const own = pairs.filter((pair) => pair.includes(each));
    await each.until('all messages', () => each.texts.length >= own.length * count && each.client.state === 'connected');
    for (const [from, to] of own) {
      const heard = each.texts.filter((words) => words.startsWith(`${user(from)} to ${user(to)} `));
      assert.deepEqual(heard, Array.from({ length: count }, (_, i) => line(from, to, i + 1)));
    }
    const entries = each.events.filter((e) => e.type === 'entry');
    assert.deepEqual(entries.map((e) => e.seq), entries.map((_, i) => i + 1));
    assert.equal(each.client.url, other);
    assert.equal(each.events.filter((e) => e.type === 'reset').length, 1);
  }
  assert.equal(carol.sockets.length, 1);
  assert.ok(alice.sockets.length >= 2 && bob.sockets.length >= 2);
}));
