'use strict';

// Everything that came from the server is put into the page as text, never as markup.

const interval = 2000;
const charts = { sends: 'Messages sent / s', deliveries: 'Entries delivered / s', sessions: 'Devices online' };
const sessionHistory = [];
let lastConnections = null;
let lastOnline = null;

const find = id => document.getElementById(id);

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === 'onclick') element.addEventListener('click', value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.map(child => child instanceof Node ? child : String(child ?? '')));
  return element;
}

function drawing(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

async function call(path, options) {
  const response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...options });
  const type = response.headers.get('content-type') ?? '';
  const body = type.includes('json') ? await response.json() : null;
  if (!response.ok) throw new Error(body?.detail ?? `The server answered ${response.status}.`);
  return body;
}

const send = (method, path, body) => call(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

function query(fields) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value) parameters.set(name, value);
  const text = parameters.toString();
  return text ? '?' + text : '';
}

const number = value => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
const bytes = value => value >= 1 << 30 ? number(value / (1 << 30)) + ' GiB' : value >= 1 << 20 ? number(value / (1 << 20)) + ' MiB'
  : value >= 1024 ? number(value / 1024) + ' KiB' : number(value) + ' B';
const clock = ms => ms ? new Date(ms).toLocaleString() : '–';

function ago(ms) {
  if (!ms) return '–';
  const seconds = Math.max(0, (Date.now() - ms) / 1000);
  return duration(seconds) + ' ago';
}

function duration(seconds) {
  if (seconds < 90) return Math.round(seconds) + ' s';
  if (seconds < 5400) return Math.round(seconds / 60) + ' min';
  if (seconds < 129600) return Math.round(seconds / 3600) + ' h';
  return Math.round(seconds / 86400) + ' d';
}

const tones = { healthy: 'good', live: 'good', acked: 'good', delivered: 'good', told: 'good', degraded: 'warn', behind: 'warn', pushed: 'warn',
  deliveredToSome: 'warn', notAcked: 'warn', signingIn: 'warn', unhealthy: 'bad', unknown: 'bad', nodeDidNotAnswer: 'bad', failed: 'bad', dropped: 'bad' };
const words = value => value.replace(/[A-Z]/g, letter => ' ' + letter.toLowerCase());
const state = value => make('span', { class: `state ${tones[value] ?? ''}` }, words(value));

// A line over an area; the height of the picture is the highest value.
function chart(values, label) {
  const width = 120;
  const height = 40;
  const top = Math.max(1, ...values);
  const points = values.map((value, i) => [values.length < 2 ? width : i * width / (values.length - 1), height - 2 - value / top * (height - 6)]);
  const line = points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(' ');
  const svg = drawing('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label });
  svg.append(drawing('line', { class: 'base', x1: 0, x2: width, y1: height - 1, y2: height - 1 }));
  if (points.length > 1) {
    svg.append(
      drawing('polygon', { class: 'area', points: `0,${height - 1} ${line} ${width},${height - 1}` }),
      drawing('polyline', { class: 'line', points: line }));
  }
  return svg;
}

// Nodes sample at about the same time: their histories are added up from their ends.
function addUp(nodes, field) {
  const length = Math.max(0, ...nodes.map(node => node.rates.history.length));
  return Array.from({ length }, (_, i) => nodes.reduce((sum, node) => sum + (node.rates.history[node.rates.history.length - length + i]?.[field] ?? 0), 0));
}

function showCharts(nodes) {
  const sum = pick => nodes.reduce((total, node) => total + pick(node), 0);
  sessionHistory.push(sum(node => node.sessions));
  if (sessionHistory.length > 60) sessionHistory.shift();
  const figures = {
    sends: [sum(node => node.rates.sendsPerSecond), addUp(nodes, 'sendsPerSecond')],
    deliveries: [sum(node => node.rates.deliveriesPerSecond), addUp(nodes, 'deliveriesPerSecond')],
    sessions: [sum(node => node.sessions), sessionHistory],
  };
  find('charts').replaceChildren(...Object.entries(charts).map(([name, title]) => {
    const [now, history] = figures[name];
    const peak = Math.max(now, ...history, 0);
    return make('div', { class: 'tile' },
      make('div', { class: 'head' }, make('h3', {}, title), make('small', {}, `peak ${number(peak)}`)),
      make('div', { class: 'figure' }, number(now)),
      chart(history, `${title}, now ${number(now)}, peak ${number(peak)}`));
  }));
}

const list = pairs => make('dl', {}, ...pairs.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));

function showNodes(nodes, statuses) {
  find('nodes').replaceChildren(...nodes.map(node => {
    const status = statuses.find(one => one.node === node.name);
    const tile = make('div', { class: 'tile', 'data-node': node.name },
      make('div', { class: 'head' }, make('h3', {}, node.name), state(node.answered ? node.health : 'unknown')),
      make('small', {}, node.answered ? node.healthText : 'It does not answer: gone, frozen or cut off.'));
    if (status) {
      const queues = status.queues;
      tile.append(
        chart(status.rates.history.map(one => one.deliveriesPerSecond), `Entries delivered per second by ${node.name}`),
        list([
          ['Devices, connections', `${number(status.sessions)}, ${number(status.connections)}`],
          ['Sends, deliveries / s', `${number(status.rates.sendsPerSecond)}, ${number(status.rates.deliveriesPerSecond)}`],
          ['Waiting: commit, nodes', `${number(queues.commits)}, ${number(queues.toOtherNodes)}`],
          ['Waiting: handlers, catch-up', `${number(queues.afterCommit)}, ${number(queues.catchUps)}`],
          ...queues.queuedSends ? [['Sends in the store’s queue', number(queues.queuedSends)]] : [],
          ['Memory, heap', `${bytes(status.process.workingSetBytes)}, ${bytes(status.process.heapBytes)}`],
          ['GC pauses, gen 2', `${number(status.process.gcPauseMs)} ms, ${number(status.process.gen2)}`],
          ['Up', duration(status.uptimeMs / 1000)],
        ]));
    }
    tile.append(make('small', {}, `epoch ${node.epoch} · ${node.version.split('+')[0]}`));
    return tile;
  }));
}

function showSummary(nodes) {
  const well = nodes.filter(node => node.health === 'healthy').length;
  const users = nodes.reduce((sum, node) => sum + node.users, 0);
  find('summary').textContent = `${well} of ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'} healthy · ${number(users)} users · ${new Date().toLocaleTimeString()}`;
  const select = find('connection-form').elements.node;
  const names = nodes.map(node => node.name);
  if (names.join('\n') !== [...select.options].slice(1).map(option => option.value).join('\n')) {
    const chosen = select.value;
    select.replaceChildren(make('option', { value: '' }, 'all'), ...names.map(name => make('option', { value: name }, name)));
    select.value = names.includes(chosen) ? chosen : '';
  }
}

async function refresh() {
  try {
    const [{ nodes }, { nodes: statuses }] = await Promise.all([call('nodes'), call('status')]);
    showSummary(nodes);
    showCharts(statuses);
    showNodes(nodes, statuses);
    find('trouble').hidden = true;
  } catch (error) {
    complain(error);
  }
  setTimeout(() => document.hidden ? document.addEventListener('visibilitychange', refresh, { once: true }) : refresh(), interval);
}

function complain(error) {
  find('trouble').textContent = error.message;
  find('trouble').hidden = false;
}

function table(element, columns, rows, empty) {
  const head = make('tr', {}, ...columns.map(([title, , kind]) => make('th', { scope: 'col', class: kind }, title)));
  const body = rows.map(row => make('tr', {}, ...columns.map(([, cell, kind]) => make('td', { class: kind }, cell(row)))));
  if (rows.length === 0) body.push(make('tr', {}, make('td', { class: 'empty', colspan: columns.length }, empty)));
  element.replaceChildren(make('thead', {}, head), make('tbody', {}, ...body));
  return element;
}

async function showConnections(more) {
  const form = new FormData(find('connection-form'));
  const fields = { ...Object.fromEntries(form), limit: 50, after: more ? lastConnections.next : null };
  try {
    const page = await call('connections' + query(fields));
    lastConnections = { next: page.next, rows: more ? [...lastConnections.rows, ...page.connections] : page.connections };
    table(find('connections'), [
      ['User', row => make('button', { class: 'plain', type: 'button', onclick: () => showDetail(row) }, row.userId || '(signing in)'), 'id'],
      ['Device', row => row.deviceId, 'id'],
      ['Node', row => row.node],
      ['State', row => state(row.state)],
      ['Transport', row => row.transport],
      ['Address', row => row.remoteAddress],
      ['Signed in', row => ago(row.signedInMs)],
      ['Last heard', row => ago(row.lastReceivedMs)],
      ['Queued', row => bytes(row.queuedBytes), 'number'],
    ], lastConnections.rows, 'No connection fits.');
    find('connections-more').hidden = !page.next;
    find('connections-note').textContent = page.silentNodes.length ? `These nodes did not answer, so theirs are missing: ${page.silentNodes.join(', ')}.` : '';
  } catch (error) {
    find('connections-note').textContent = error.message;
  }
}

async function showDetail(row) {
  const dialog = find('detail');
  const path = `connections/${encodeURIComponent(row.node)}/${encodeURIComponent(row.connectionId)}`;
  const close = make('button', { type: 'button', onclick: () => dialog.close() }, 'Close');
  try {
    const detail = await call(path);
    const cut = make('button', { type: 'button', class: 'danger', onclick: async () => {
      if (cut.dataset.asked !== 'yes') {
        cut.dataset.asked = 'yes';
        cut.textContent = 'Really disconnect?';
        return;
      }
      try {
        await send('DELETE', path, { reason: 'Disconnected by an operator.' });
        dialog.close();
        await showConnections(false);
      } catch (error) {
        cut.textContent = error.message;
      }
    } }, 'Disconnect');
    const device = detail.device;
    dialog.replaceChildren(
      make('h2', { id: 'detail-title' }, `${row.userId || 'Connection'} · ${row.deviceId}`),
      list([
        ['Connection', `${row.connectionId} on ${row.node}`],
        ['Device', device ? [device.type, device.brand, device.model, device.os, device.clientVersion].filter(text => text).join(', ') || '–' : '–'],
        ['Transport', `${row.transport}, ${detail.codec}`],
        ['Address', row.remoteAddress],
        ['Signed in', clock(row.signedInMs)],
        ['Last heard', ago(detail.connection.lastReceivedMs)],
        ['Written, queued', `${bytes(detail.writtenBytes)}, ${bytes(detail.connection.queuedBytes)}`],
        ['Requests waiting', detail.pendingRequests + (detail.isPaused ? ' (not read from)' : '')],
        ['Rooms', detail.rooms.join(', ') || '–'],
      ]),
      make('h2', {}, 'Timelines'),
      make('div', { class: 'scroll' }, table(make('table'), [
        ['Timeline', one => one.conversationId ?? 'inbox', 'id'],
        ['Cursor', one => number(one.cursor), 'number'],
        ['Head', one => number(one.knownHead), 'number'],
        ['', one => state(one.isFinished && one.conversationId ? 'finished' : one.isLive ? 'live' : 'behind')],
      ], detail.timelines, 'None yet.')),
      make('div', { class: 'actions' }, cut, close));
  } catch (error) {
    dialog.replaceChildren(make('p', { id: 'detail-title' }, error.message), make('div', { class: 'actions' }, close));
  }
  dialog.showModal();
}

async function showOnline(more) {
  try {
    const page = await call('users/online' + query({ limit: 100, after: more ? lastOnline : null }));
    lastOnline = page.next;
    const chips = page.users.map(user => make('li', {},
      make('button', { class: 'plain', type: 'button', onclick: () => filterBy(user.userId) }, user.userId), ' ',
      make('small', {}, user.sessions.map(session => `${session.deviceId} @ ${session.node}`).join(', '))));
    if (more) find('online').append(...chips);
    else find('online').replaceChildren(...chips);
    find('online-more').hidden = !page.next;
    find('online-note').textContent = chips.length || more ? '' : 'Nobody is online.';
  } catch (error) {
    find('online-note').textContent = error.message;
  }
}

function filterBy(userId) {
  const form = find('connection-form');
  form.reset();
  form.elements.user.value = userId;
  form.scrollIntoView({ behavior: 'smooth', block: 'center' });
  return showConnections(false);
}

async function showTrace(form) {
  const place = find('trace');
  try {
    const trace = await call('trace' + query(Object.fromEntries(new FormData(form))));
    const box = make('div', { class: 'verdict', 'data-verdict': trace.verdict }, make('p', { class: 'answer' }, state(trace.verdict)), make('p', {}, trace.text));
    if (trace.message) {
      const message = trace.message;
      const stays = trace.stays.map(stay => `${stay.firstSeq}–${stay.lastSeq ?? 'now'}`).join(', ') || 'never';
      box.append(list([
        ['Message', `${message.conversationId}, entry ${message.seq}`],
        ['Accepted', clock(message.acceptedMs)],
        ['From', message.senderId || '–'],
        ['Member', stays],
        ['Comes through', trace.route === 'inbox' ? `the inbox${trace.inboxSeq ? ', entry ' + trace.inboxSeq : ''}` : trace.route === 'conversation' ? 'the conversation' : '–'],
        ...trace.notices.map(notice => [`Notifier on ${notice.node}`, `${notice.notifier} ${words(notice.outcome)} ${notice.error}`.trim()]),
      ]));
    }
    if (trace.devices.length) {
      box.append(make('div', { class: 'scroll' }, table(make('table'), [
        ['Device', device => device.deviceId, 'id'],
        ['', device => state(device.state)],
        ['Acked', device => number(device.ackedSeq), 'number'],
        ['Node', device => device.session?.node ?? '–'],
        ['Pushed', device => device.session ? number((trace.route === 'conversation' ? device.session.conversation : device.session.inbox)?.cursor ?? 0) : '–', 'number'],
        ['Last sign-in', device => ago(device.lastSignInMs)],
      ], trace.devices, '')));
    }
    place.replaceChildren(box);
  } catch (error) {
    place.replaceChildren(make('p', { class: 'trouble' }, error.message));
  }
}

function onSubmit(id, action) {
  find(id).addEventListener('submit', event => {
    event.preventDefault();
    action(event.target);
  });
}

onSubmit('connection-form', () => showConnections(false));
onSubmit('trace-form', showTrace);
find('connections-more').addEventListener('click', () => showConnections(true));
find('online-more').addEventListener('click', () => showOnline(true));
refresh();
showConnections(false);
showOnline(false);
