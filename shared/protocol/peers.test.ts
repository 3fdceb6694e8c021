import { describe, expect, test } from 'bun:test';
import { fromPeer, peerErrors, toPeer } from './peers.ts';

const join = (channel: unknown, token: unknown = 't') => ({ verb: 'join', channel, token });

describe('fromPeer()', () => {
  for (const name of [
    'a',
    'Ann',
    'Анна',
    '名前',
    'a.b-c_d',
    '7',
    '_',
    'x'.repeat(64),
    'किरण',
    '👍',
    '👨‍👩‍👧',
    'می\u200cخواهم',
    'ශ්\u200dරී',
  ]) {
    test(`fromPeer() takes the name ${name}`, () => {
      expect(fromPeer.descp.parse({ verb: 'descp', name }).name).toBe(name.normalize('NFKC'));
      expect(fromPeer.join.safeParse(join(`#${name}`)).success).toBeTrue();
    });
  }

  for (const name of [
    '',
    ' ',
    'a b',
    '#a',
    '-a',
    '.a',
    'x'.repeat(65),
    'a\0',
    'a\u202eb',
    'a\u200bb',
    'a\u200db',
    '\u3164',
    'a\u2028',
    '\ud800',
    5,
    null,
    [],
  ]) {
    test(`fromPeer() refuses the name ${JSON.stringify(name)}`, () => {
      expect(fromPeer.descp.safeParse({ verb: 'descp', name }).success).toBeFalse();
    });
  }

  test('fromPeer() makes one name of two spellings of it', () => {
    const spelt = ['\u00e9', 'e\u0301'].map((name) => fromPeer.descp.parse({ verb: 'descp', name }).name);
    expect(new Set(spelt).size).toBe(1);
    expect(fromPeer.join.parse(join('#\uff41')).channel).toBe('#a');
  });

  test('fromPeer() takes a text of any content up to its bound', () => {
    const privmsg = (text: string) => fromPeer.privmsg.safeParse({ verb: 'privmsg', peer: 'a', text });
    for (const text of ['\0', 'v=0\r\n', '{"a":1}', 'я'.repeat(16_384)]) {
      expect(privmsg(text).data?.text).toBe(text);
    }
    expect(privmsg('').success).toBeFalse();
    expect(privmsg('x'.repeat(16_385)).success).toBeFalse();
    expect(fromPeer.broadcast.safeParse({ verb: 'broadcast', text: 'x'.repeat(1_025) }).success).toBeFalse();
  });

  test('fromPeer() makes every text well-formed', () => {
    const odd = 'a\ud83d';
    const texts = [
      fromPeer.privmsg.parse({ verb: 'privmsg', peer: 'a', text: odd }).text,
      fromPeer.pubmsg.parse({ verb: 'pubmsg', channel: '#a', text: odd }).text,
      fromPeer.broadcast.parse({ verb: 'broadcast', text: odd }).text,
      fromPeer.away.parse({ verb: 'away', text: odd }).text,
      fromPeer.join.parse(join('#a', odd)).token,
      fromPeer.peers.parse({ verb: 'peers', channel: '#a', id: odd }).id,
    ];
    expect(new Set(texts)).toEqual(new Set(['a\ufffd']));
  });

  test('fromPeer() refuses fields that it does not know, and long ids', () => {
    expect(fromPeer.peers.safeParse({ verb: 'peers', channel: '#a', more: 1 }).success).toBeFalse();
    expect(
      fromPeer.peers.safeParse({ verb: 'peers', channel: '#a', id: 'x'.repeat(65) }).success,
    ).toBeFalse();
    expect(fromPeer.join.safeParse(join('a')).success).toBeFalse();
    expect(fromPeer.join.safeParse(join('#a', '')).success).toBeFalse();
  });
});

test('peerErrors() have a number each', () => {
  const numbers = Object.values(peerErrors).map((row) => row.number);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(toPeer.error.shape.error.options).toEqual(Object.keys(peerErrors) as never);
});
