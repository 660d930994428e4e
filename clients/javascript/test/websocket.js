// The least of RFC 6455 that a test needs: text, ping-less, unfragmented when sending; a server and a client class.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';

const accept = (key) => createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

function frame(opcode, payload, masked) {
  const length = payload.length;
  const head = length < 126 ? [length] : length < 65536 ? [126, length >> 8, length & 255] : [127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  head[0] |= masked ? 0x80 : 0;
  if (!masked) return Buffer.concat([Buffer.from([0x80 | opcode, ...head]), payload]);
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from([0x80 | opcode, ...head]), mask, payload.map((byte, i) => byte ^ mask[i & 3])]);
}

/** Calls back with each whole frame, whatever the chunks of the stream are. */
function reader(onFrame) {
  let kept = Buffer.alloc(0);
  return (chunk) => {
    kept = Buffer.concat([kept, chunk]);
    while (kept.length >= 2) {
      let length = kept[1] & 127;
      let at = 2;
      if (length === 126) {
        if (kept.length < 4) return;
        length = kept.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (kept.length < 10) return;
        length = Number(kept.readBigUInt64BE(2));
        at = 10;
      }
      const masked = (kept[1] & 0x80) !== 0;
      const start = at + (masked ? 4 : 0);
      if (kept.length < start + length) return;
      const mask = kept.subarray(at, at + 4);
      const raw = kept.subarray(start, start + length);
      const payload = masked ? Buffer.from(raw.map((byte, i) => byte ^ mask[i & 3])) : Buffer.from(raw);
      const opcode = kept[0] & 15;
      kept = kept.subarray(start + length);
      onFrame(opcode, payload);
    }
  };
}

/** One end of an open connection. */
function endpoint(socket, head, masked, { onText, onClose }) {
  let closed = false;
  let code = 1006;
  let reason = '';
  const read = reader((opcode, payload) => {
    if (opcode === 1) onText(payload.toString('utf8'));
    if (opcode !== 8) return;
    code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    reason = payload.subarray(2).toString('utf8');
    end(payload);
  });
  const end = (payload) => {
    if (!closed) socket.end(frame(8, payload, masked));
    closed = true;
  };
  socket.on('data', read);
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
    onClose(code, reason);
  });
  if (head.length > 0) read(head);
  return {
    send: (text) => { if (!closed) socket.write(frame(1, Buffer.from(text), masked)); },
    close: (closeCode = 1000, why = '') => {
      const payload = Buffer.alloc(2 + Buffer.byteLength(why));
      payload.writeUInt16BE(closeCode);
      payload.write(why, 2);
      end(payload);
    },
    cut: () => socket.destroy(),
  };
}

/** Listens on a free loopback port; `onConnection` gets each end and returns what takes its packets. */
export async function listen(onConnection) {
  const sockets = new Set();
  const server = http.createServer((request, response) => response.writeHead(426).end());
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + `Sec-WebSocket-Accept: ${accept(request.headers['sec-websocket-key'])}\r\nSec-WebSocket-Protocol: ${request.headers['sec-websocket-protocol']}\r\n\r\n`,
    );
    let onPacket = () => {};
    const end = endpoint(socket, head, false, { onText: (text) => onPacket(JSON.parse(text)), onClose: () => {} });
    onPacket = onConnection({ ...end, send: (packet) => end.send(JSON.stringify(packet)) });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${server.address().port}/im`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As much of the browser's WebSocket as the client uses. */
export class TestWebSocket {
  protocol = '';
  #end = null;
  #request;

  constructor(url, protocols) {
    this.#request = http.get(url.replace(/^ws/, 'http'), {
      headers: {
        Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': randomBytes(16).toString('base64'), 'Sec-WebSocket-Protocol': protocols.join(', '),
      },
    });
    this.#request.on('upgrade', (response, socket, head) => {
      this.protocol = response.headers['sec-websocket-protocol'] ?? '';
      this.#end = endpoint(socket, Buffer.alloc(0), true, {
        onText: (data) => this.onmessage?.({ data }),
        onClose: (code, reason) => this.onclose?.({ code, reason }),
      });
      this.onopen?.({});
      if (head.length > 0) socket.unshift(head);
    });
    this.#request.on('response', (response) => {
      response.resume();
      this.onclose?.({ code: 1006, reason: '' });
    });
    this.#request.on('error', () => {
      this.onerror?.({});
      this.onclose?.({ code: 1006, reason: '' });
    });
  }

  send(text) { this.#end.send(text); }
  close(code) {
    if (this.#end) this.#end.close(code);
    else this.#request.destroy();
  }
}
