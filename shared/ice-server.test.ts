import { expect, test } from 'bun:test';
import { readIceUrl, turnUrlSchema, writtenIceServerSchema } from './ice-server.ts';
import { good_urls, wrong_urls } from './testing/ice-urls.ts';

for (const [text, found] of good_urls) {
  test(`readIceUrl() reads ${text}`, () => {
    expect(Object.values(readIceUrl(text)).join(' ')).toBe(found);
  });
}

for (const [url, about] of wrong_urls) {
  test(`readIceUrl() refuses ${JSON.stringify(url)}`, () => {
    expect(readIceUrl(url)).toMatchObject({ problem: expect.stringContaining(about) });
  });
}

const urls = ['turn:turn.example'];
const incomplete: [server: object, key: string][] = [
  [{ urls }, 'username,credential'],
  [{ urls, username: 'u' }, 'credential'],
  [{ urls, username: '', credential: '' }, 'username,credential'],
  [{ urls, username: 'u', credential: '' }, 'credential'],
  [{ urls: ['stun:stun.example', 'turns:turn.example'], credential: 'c' }, 'username'],
  [{ urls, username: 'ю'.repeat(255), credential: 'c' }, 'username'],
];
for (const [server, keys] of incomplete) {
  test(`writtenIceServerSchema() misses ${keys} in ${JSON.stringify(server).slice(0, 60)}`, () => {
    const issues = writtenIceServerSchema.safeParse(server).error?.issues ?? [];
    expect(issues.map(({ path }) => path.join('.')).join()).toBe(keys);
  });
}

test('writtenIceServerSchema() takes what is complete, in the spelling of the wire', () => {
  const server = { urls: ['TURN:turn.example?transport=UDP'], username: 'u', credential: 'c' };
  expect(writtenIceServerSchema.parse(server).urls).toEqual(['turn:turn.example?transport=udp']);
  expect(writtenIceServerSchema.parse({ urls: ['stun:a', 'stuns:b'] }).urls).toEqual(['stun:a', 'stuns:b']);
});

test('turnUrlSchema() takes no STUN server, and says one thing about it', () => {
  expect(turnUrlSchema.safeParse('stun:stun.example').error?.issues.map(({ message }) => message)).toEqual([
    'starts with turn: or turns:',
  ]);
});
