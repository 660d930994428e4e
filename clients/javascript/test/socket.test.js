// The client over real sockets, with real timers, against a server that keeps one inbox.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ImClient, memoryCursorStore } from '../im-client.js';
import { listen, TestWebSocket } from './websocket.js';

/** A server of one user: a message is stored once by its id and pushed to every connection that is signed in. */
class OneInbox {
  inbox = [];
  connections = new Set();
  signIns = 0;

  /** After how many received sends a connection is cut before the ack; the message is stored. */
  constructor({ cutAt = new Set() } = {}) {
    this.cutAt = cutAt;
    this.sends = 0;
  }

  connection = (end) => {
    return (packet) => {
      const { requestId } = packet;
      if (packet.signIn) {
        this.signIns++;
        end.send({ requestId, signedIn: { userId: 'me', generation: 'G', inboxHead: String(this.inbox.length), idleTimeoutMs: 60_000, reset: !packet.signIn.generation } });
        let cursor = Number(packet.signIn.inboxCursor ?? 0);
        if (!packet.signIn.generation) end.send({ snapshot: { inboxSeq: '0' } });
        end.catchUp = () => {
          while (cursor < this.inbox.length) {
            const entries = this.inbox.slice(cursor, cursor + 7);
            end.send({ push: { firstInboxSeq: String(cursor + 1), entries } });
            cursor += entries.length;
          }
        };
        this.connections.add(end);
        end.catchUp();
      } else if (packet.send) {
        const known = this.inbox.find((e) => e.clientMessageId === packet.send.clientMessageId);
        const entry = known ?? { conversationId: 'd:2:me:you', conversationSeq: String(this.inbox.length + 1), clientMessageId: packet.send.clientMessageId, content: packet.send.content };
        if (!known) this.inbox.push(entry);
        if (this.cutAt.has(++this.sends)) {
          this.connections.delete(end);
          end.cut();
          return;
        }
        end.send({ requestId, sendAck: { result: known ? 'DUPLICATE' : 'STORED', clientMessageId: entry.clientMessageId, conversationId: entry.conversationId, conversationSeq: entry.conversationSeq } });
        for (const each of this.connections) each.catchUp();
      } else if (packet.ping) {
        end.send({ requestId, pong: {} });
      }
    };
  };
}

test('over real sockets with cut connections every message is stored once, acked, and delivered once in order', { timeout: 20_000 }, async () => {
  const app = new OneInbox({ cutAt: new Set([5, 23, 24, 60]) });
  const server = await listen(app.connection);
  const got = [];
  let all;
  const complete = new Promise((resolve) => { all = resolve; });
  const client = new ImClient({
    url: server.url, deviceId: 'd1', WebSocket: TestWebSocket, cursorStore: memoryCursorStore(), reconnectBaseMs: 20,
    onEvent: async (event) => {
      if (event.type !== 'entry') return;
      got.push(event);
      await null;
      if (got.length === 100) all();
    },
  });
  try {
    await client.connect();
    const sends = Array.from({ length: 100 }, (_, i) => client.send({ to: 'you' }, `message ${i} ${'é'.repeat(i * 10)}`, { clientMessageId: `c${i}` }));
    const acks = await Promise.all(sends);
    await complete;
    assert.ok(app.signIns >= 2, 'connections were cut');
    assert.equal(app.inbox.length, 100);
    assert.deepEqual(got.map((e) => e.seq), Array.from({ length: 100 }, (_, i) => i + 1));
    assert.deepEqual(got.map((e) => e.entry.clientMessageId), Array.from({ length: 100 }, (_, i) => `c${i}`));
    assert.equal(got[99].entry.content.text, `message 99 ${'é'.repeat(990)}`);
    assert.deepEqual(acks.map((a) => a.conversationSeq), Array.from({ length: 100 }, (_, i) => i + 1));
  } finally {
    await client.close();
    await server.close();
  }
});

test('over a real socket a final close code ends the client', { timeout: 20_000 }, async () => {
  const server = await listen((end) => (packet) => {
    if (packet.signIn) end.close(3500, 'bad_token');
  });
  const client = new ImClient({ url: server.url, deviceId: 'd1', WebSocket: TestWebSocket });
  try {
    await assert.rejects(client.connect(), { code: 3500, reason: 'bad_token' });
    assert.equal(client.state, 'closed');
  } finally {
    await server.close();
  }
});

test('with Node\'s own WebSocket where there is one', { timeout: 20_000, skip: globalThis.WebSocket ? false : 'this Node has none (22 and later do)' }, async () => {
  const server = await listen(new OneInbox().connection);
  const client = new ImClient({ url: server.url, deviceId: 'd1', onEvent: () => {} });
  try {
    await client.connect();
    assert.equal((await client.send({ to: 'you' }, 'hi')).result, 'STORED');
  } finally {
    await client.close();
    await server.close();
  }
});
