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

test('a join again while entries before the leave are outstanding waits its turn, leave after leave', async () => {
  const t = start();
  await t.connected();
  await t.socket.pushInbox(1, joined(5), left(8), joined(20), left(23), joined(30));
  assert.deepEqual(await cursors(t), [`${G}/5`]);
  await t.socket.pushConversation(G, 6, {}, {});
  assert.deepEqual(await cursors(t), [`${G}/20`]);
  await t.socket.pushConversation(G, 21, {}, {});
  assert.deepEqual(await cursors(t), [`${G}/30`]);
  await t.socket.pushConversation(G, 31, {});
  assert.deepEqual(seqs(t.events).slice(5), [6, 7, 21, 22, 31].map((seq) => `${G}/${seq}`));
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
  assert.deepEqual(await store.load(), { userId: 'me', generation: 'G1', inboxSeq: 2, conversations: [{ conversationId: G, seq: 6, endSeq: 8 }] });
  const next = start({ cursorStore: store });
  await next.connected();
  assert.deepEqual(next.socket.packets('signIn')[0].conversationCursors, [{ conversationId: G, conversationSeq: '6' }]);
  await next.socket.pushConversation(G, 7, {});
  assert.deepEqual(await cursors(next), []);
});
