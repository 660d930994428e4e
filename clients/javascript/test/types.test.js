// im-client.d.ts is kept by hand beside the comments of im-client.js: what only one of the two has is found here.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import * as client from '../im-client.js';

const read = (name) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');
const source = await read('im-client.js');
const types = await read('im-client.d.ts');
const withoutComments = types.replace(/\/\*\*[^]*?\*\//g, '');

/** What an `export type` or `export class` of the types says, without comments. */
const declaration = (kind, name) => new RegExp(`^export ${kind} ${name}\\b[^]*?(?=^export |$(?![^]))`, 'm').exec(withoutComments)?.[0] ?? '';
const sorted = (names) => [...new Set(names)].sort();
const all = (text, pattern) => sorted([...text.matchAll(pattern)].map((match) => match[1]));

test('every export has its type, and no type is exported that is none', () => {
  const values = all(withoutComments, /^export (?:class|const|function) (\w+)/gm);
  assert.deepEqual(values, Object.keys(client).sort());
  const documented = all(source, /@typedef \{[^]*?\} (Im\w+)/g);
  assert.ok(documented.length > 20);
  assert.deepEqual(all(withoutComments, /^export type (\w+)/gm), documented);
});

test('every public member of the classes has its type', () => {
  for (const name of ['ImClient', 'ImError']) {
    const members = Object.getOwnPropertyNames(client[name].prototype);
    const typed = all(declaration('class', name), /^ {2}(?:override )?(?:get )?(\w+)(?=[:(])/gm);
    const fields = name === 'ImError' ? ['clientMessageId', 'code', 'reason'] : [];
    assert.deepEqual(typed, sorted([...members, ...fields]));
  }
});

test('every property of the options, entries and other objects is in both, as optional as there, with its default', () => {
  let looked = 0;
  for (const [, name, body] of source.matchAll(/@typedef \{object\} (Im\w+)\n([^]*?)\*\//g)) {
    const documented = [...body.matchAll(/@property \{.*\} (\[?)(\w+)/g)].map(([, bracket, property]) => property + (bracket ? '?' : ''));
    assert.deepEqual(all(declaration('type', name), /^ {2}(\w+\??)(?=:)/gm), sorted(documented), name);
    looked += documented.length;
  }
  assert.ok(looked > 60);
  const defaults = (text) => all(text, /(Default \d+)/g);
  assert.deepEqual(defaults(types), defaults(source));
});

test('the package hands out its types', async () => {
  const { types: path, exports, files } = JSON.parse(await read('package.json'));
  assert.deepEqual([path, exports['.'].types, files.includes('im-client.d.ts')], ['./im-client.d.ts', './im-client.d.ts', true]);
});
