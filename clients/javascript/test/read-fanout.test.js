// Conversations with fan-out on read: where their own timeline starts and ends for this device.
import assert from 'node:assert/strict';
import test from 'node:test';
import { memoryCursorStore } from '../im-client.js';
import { manualHandler, seqs, start } from './harness.js';

const G = 'g:big';
const at = (seq, body) => ({ conversationId: G, conversationSeq: String(seq), ...body });
const created = (seq) => at(seq, { groupCreated: { group: { fanout: 'READ' }, members: ['a', 'me'] } });
const joined = (seq, fanout = 'READ') => at(seq, { membersChanged: { added: ['me', 'x'], group: { fanout } } });
const left = (seq) => at(seq, { membersChanged: { removed: ['me'], group: { fanout: 'READ' } } });
const dissolved = (seq) => at(seq, { groupDissolved: {} });
const switched = (seq, fanout) => at(seq, { fanoutChanged: { fanout } });
const other = (seq) => at(seq, { membersChanged: { added: ['x'], removed: ['y'], group: { fanout: 'READ' } } });
const empty = (count) => Array.from({ length: count }, () => ({}));

async function cursors(t) {
  await t.socket.drop();
  await t.reconnected();
  return t.socket.packets('signIn')[0].conversationCursors.map((c) => `${c.conversationId}/${c.conversationSeq}`);
}

for (const [name, entry] of [['the creation of a group with me', created(5)], ['my join', joined(5)], ['a switch to READ', switched(5, 'READ')]]) {
  test(`a conversation's cursor starts at ${name}`, async () => {
    const t = start();
    await t.connected();
    await t.socket.pushInbox(1, entry);
    assert.deepEqual(await cursors(t), [`${G}/5`]);
    await t.socket.pushConversation(G, 6, {}, {});
    assert.deepEqual(seqs(t.events), ['inbox/1', `${G}/6`, `${G}/7`]);
    await t.socket.pushConversation(G, 9, {});
    assert.equal(t.states.at(-1).reason, 'protocol_violation');
  });
}

for (const [name, entry] of [['a join with fan-out on write', joined(5, 'WRITE')], ['someone else\'s join', other(5)], ['a message', at(5, { content: { text: 'x' } })]]) {
  test(`${name} starts no cursor`, async () => {
    const t = start();
    await t.connected();
    await t.socket.pushInbox(1, entry);
    assert.deepEqual(await cursors(t), []);
  });
}

for (const [name, entry] of [['my leave', left], ['the end of the group', dissolved], ['a switch to WRITE', (seq) => switched(seq, 'WRITE')]]) {
  test(`${name} ends the cursor when all before it was received`, async () => {
    const t = start();
    await t.connected();
    await t.socket.pushInbox(1, joined(5));
    await t.socket.pushConversation(G, 6, {}, {});
    await t.socket.pushInbox(2, entry(8));
    assert.deepEqual(await cursors(t), []);
  });

  test(`${name} that overtakes the conversation's entries keeps the cursor until they were received`, async () => {
    const t = start();
    await t.connected();
    await t.socket.pushInbox(1, joined(5));
    await t.socket.pushConversation(G, 6, {});
    await t.socket.pushInbox(2, entry(10));
    assert.deepEqual(await cursors(t), [`${G}/6`]);
    await t.socket.pushConversation(G, 7, {}, {});
    assert.deepEqual(await cursors(t), [`${G}/8`]);
    await t.socket.pushConversation(G, 9, {});
    assert.deepEqual(await cursors(t), []);
    assert.deepEqual(seqs(t.events), ['inbox/1', `${G}/6`, 'inbox/2', `${G}/7`, `${G}/8`, `${G}/9`]);
  });
}

test('a leave that comes as a conversation\'s entry about others ends nothing', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5));
  await t.socket.pushConversation(G, 6, other(6));
  assert.deepEqual(await cursors(t), [`${G}/6`]);
});

test('a join again before all of the stay before was received keeps the cursor: the rest, a skip, the new stay', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5), left(8), joined(20));
  assert.deepEqual(await cursors(t), [`${G}/5`]);
  await t.socket.pushConversation(G, 6, {}, {});
  assert.deepEqual(await cursors(t), [`${G}/7`]);
  await t.socket.pushSkip(G, 8, 20);
  assert.deepEqual(await cursors(t), [`${G}/20`]);
  await t.socket.pushConversation(G, 21, {});
  assert.deepEqual(seqs(t.events).slice(3), [6, 7, 21].map((seq) => `${G}/${seq}`));
  assert.equal(t.errors.length, 0);
});

test('a leave after a switch to WRITE does not move the end of the cursor', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5), switched(8, 'WRITE'), at(9, { content: { text: 'x' } }), left(12));
  await t.socket.pushConversation(G, 6, {});
  assert.deepEqual(await cursors(t), [`${G}/6`]);
  await t.socket.pushConversation(G, 7, {});
  assert.deepEqual(await cursors(t), []);
});

test('leave after leave, the cursor ends with the last stay', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5), left(8), joined(20), left(23));
  await t.socket.pushConversation(G, 6, {}, {});
  await t.socket.pushSkip(G, 8, 20);
  await t.socket.pushConversation(G, 21, {});
  assert.deepEqual(await cursors(t), [`${G}/21`]);
  await t.socket.pushConversation(G, 22, {});
  assert.deepEqual(await cursors(t), []);
  await t.socket.pushInbox(5, joined(30));
  assert.deepEqual(await cursors(t), [`${G}/30`]);
  await t.socket.pushConversation(G, 31, {});
  assert.equal(t.errors.length, 0);
});

test('a join again after the cursor has ended starts it at the join', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5), left(6), joined(20));
  assert.deepEqual(await cursors(t), [`${G}/20`]);
});

test('a skip and a new stay that overtake the inbox are not undone by the leave and the join that come late', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5));
  await t.socket.pushConversation(G, 6, {}, {});
  await t.socket.pushSkip(G, 8, 20);
  await t.socket.pushConversation(G, 21, {});
  await t.socket.pushInbox(2, left(8));
  assert.deepEqual(await cursors(t), [`${G}/21`]);
  await t.socket.pushInbox(3, joined(20));
  assert.deepEqual(await cursors(t), [`${G}/21`]);
  await t.socket.pushConversation(G, 22, {});
  assert.deepEqual(seqs(t.events).filter((seq) => seq.startsWith(G)), [6, 7, 21, 22].map((seq) => `${G}/${seq}`));
});

test('a skip beyond the last entry of a stay goes on to the next one', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5), left(8));
  await t.socket.pushSkip(G, 6, 20);
  assert.deepEqual(await cursors(t), [`${G}/20`]);
  await t.socket.pushInbox(3, joined(20));
  await t.socket.pushConversation(G, 21, {});
  assert.deepEqual(await cursors(t), [`${G}/21`]);
});

test('a skip without a cursor, after the end of the stay before and ahead of the join, starts it', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5), left(6));
  await t.socket.pushSkip(G, 6, 20);
  await t.socket.pushInbox(3, joined(20));
  await t.socket.pushConversation(G, 21, {});
  assert.deepEqual(await cursors(t), [`${G}/21`]);
});

for (const [name, first, through, cursor] of [
  ['at the next entry moves the cursor', 9, 12, 12],
  ['that overlaps what was received moves the cursor', 6, 12, 12],
  ['up to the cursor is dropped', 7, 8, 8],
  ['below the cursor is dropped', 6, 7, 8],
]) {
  test(`a skip ${name}, without an event`, async () => {
    const t = start();
    await t.connected();
    await t.socket.pushInbox(1, joined(5));
    await t.socket.pushConversation(G, 6, ...empty(3));
    await t.socket.pushSkip(G, first, through);
    assert.equal(t.client.state, 'connected');
    assert.equal(t.events.length, 4);
    assert.deepEqual(await cursors(t), [`${G}/${cursor}`]);
  });
}

for (const [name, push] of [
  ['beyond the next entry', { conversationId: G, firstConversationSeq: '7', skippedThrough: '9' }],
  ['of the inbox', { firstInboxSeq: '2', skippedThrough: '9' }],
  ['with entries', { conversationId: G, firstConversationSeq: '6', skippedThrough: '9', entries: [{}] }],
]) {
  test(`a skip ${name} is a violation`, async () => {
    const t = start();
    await t.connected();
    await t.socket.pushInbox(1, joined(5));
    await t.socket.receive({ push });
    assert.equal(t.states.at(-1).reason, 'protocol_violation');
    assert.deepEqual(await cursors(t), [`${G}/5`]);
  });
}

test('a skip is handled in its turn: saved and acked only after the entries before it', async () => {
  const store = memoryCursorStore();
  const h = manualHandler();
  const t = start({ onEvent: h.handler, cursorStore: store });
  await t.connected();
  await t.socket.pushInbox(1, joined(5));
  await t.socket.pushConversation(G, 6, {});
  await t.socket.pushSkip(G, 7, 20);
  await h.release(1);
  await t.clock.advance(1_000);
  assert.equal((await store.load()).conversations[0].seq, 5);
  await h.release(1);
  await t.clock.advance(1_000);
  assert.equal((await store.load()).conversations[0].seq, 20);
  assert.deepEqual(t.socket.packets('deviceAck').at(-1).conversations, [{ conversationId: G, conversationSeq: '20' }]);
  assert.equal(h.seen.length, 2);
});

test('events() passes over a skip', async () => {
  const t = start({ manual: true });
  await t.connected();
  await t.socket.pushConversation(G, 6, {});
  await t.socket.pushSkip(G, 7, 20);
  await t.socket.pushConversation(G, 21, {});
  const events = t.client.events();
  assert.deepEqual([(await events.next()).value.seq, (await events.next()).value.seq], [6, 21]);
});

test('a push of a conversation without a cursor is accepted and starts it', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushConversation(G, 12, {}, {});
  assert.deepEqual(seqs(t.events), [`${G}/12`, `${G}/13`]);
  await t.socket.pushInbox(1, joined(11)); // the join that the push had overtaken
  assert.deepEqual(await cursors(t), [`${G}/13`]);
});

test('entries at or below a conversation\'s cursor are dropped', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5));
  await t.socket.pushConversation(G, 5, joined(5), {});
  assert.deepEqual(seqs(t.events), ['inbox/1', `${G}/6`]);
});

test('an entry that does not belong where the push says is a violation', async () => {
  const t = start();
  await t.connected();
  await t.socket.receive({ push: { conversationId: G, firstConversationSeq: '3', entries: [{ conversationId: 'g:other', conversationSeq: '3' }] } });
  assert.equal(t.states.at(-1).reason, 'protocol_violation');
});

test('sign-in names the cursors of all conversations', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5), { ...joined(9), conversationId: 'g:two' });
  assert.deepEqual(await cursors(t), [`${G}/5`, 'g:two/9']);
});

test('what is saved are the positions that were handled, an unfinished leave included', async () => {
  const store = memoryCursorStore();
  const h = manualHandler();
  const t = start({ onEvent: h.handler, cursorStore: store });
  await t.connected();
  await t.socket.pushInbox(1, joined(5), left(8));
  await t.socket.pushConversation(G, 6, ...empty(2));
  await h.release(3); // join, leave, 6
  await t.client.close();
  assert.deepEqual(await store.load(), { userId: 'me', generation: 'G1', inboxSeq: 2, conversations: [{ conversationId: G, seq: 6, lastSeq: 7 }] });
  const next = start({ cursorStore: store });
  await next.connected();
  assert.deepEqual(next.socket.packets('signIn')[0].conversationCursors, [{ conversationId: G, conversationSeq: '6' }]);
  await next.socket.pushConversation(G, 7, {});
  assert.deepEqual(await cursors(next), []);
});
