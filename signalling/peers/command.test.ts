import { expect, test } from 'bun:test';
import { commandFrame } from './command.ts';

const rows: [text: string, json: Record<string, unknown>][] = [
  ['/descp ann', { verb: 'descp', name: 'ann' }],
  ['/descp  ann ', { verb: 'descp', name: 'ann' }],
  ['/descp {"name":"ann","secret":"s"}', { verb: 'descp', name: 'ann', secret: 's' }],
  ['/descp {}', { verb: 'descp' }],
  ['/join #a token', { verb: 'join', channel: '#a', token: 'token' }],
  ['/join  #a   two words ', { verb: 'join', channel: '#a', token: 'two words' }],
  ['/join #a', { verb: 'join', channel: '#a' }],
  ['/join', { verb: 'join' }],
  ['/quit', { verb: 'quit' }],
  ['/quit #a', { verb: 'quit', channel: '#a' }],
  ['/privmsg bob  two  spaces ', { verb: 'privmsg', peer: 'bob', text: ' two  spaces ' }],
  ['/privmsg bob v=0\r\no=-\r\n', { verb: 'privmsg', peer: 'bob', text: 'v=0\r\no=-\r\n' }],
  ['/pubmsg #a /join #b', { verb: 'pubmsg', channel: '#a', text: '/join #b' }],
  ['/broadcast привет всем', { verb: 'broadcast', text: 'привет всем' }],
  ['/whois #a', { verb: 'whois', target: '#a' }],
  ['/away', { verb: 'away' }],
  ['/op bob #a', { verb: 'op', peer: 'bob', channel: '#a' }],
  ['/kick bob', { verb: 'kick', peer: 'bob' }],
  ['/nope a b', { verb: 'nope' }],
  ['/__proto__ a', { verb: '__proto__' }],
  ['/', { verb: '' }],
];

for (const [text, json] of rows) {
  test(`commandFrame() reads ${JSON.stringify(text)}`, () => {
    expect(JSON.parse(String(commandFrame(text)))).toEqual(json);
    expect(JSON.parse(String(commandFrame(new TextEncoder().encode(text))))).toEqual(json);
  });
}

test('commandFrame() leaves everything else alone', () => {
  for (const frame of ['', '{"verb":"join"}', ' /join', 'x', Uint8Array.of(0xff)]) {
    expect(commandFrame(frame)).toBe(frame);
  }
});
