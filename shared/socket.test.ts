import { describe, expect, test } from 'bun:test';
import pino from 'pino';
import { z } from 'zod';
import type { Refusal } from './errors.ts';
import { limits } from './limits.ts';
import { silentLog } from './log.ts';
import { type Handlers, loose, strict } from './protocol/message.ts';
import { closeCode, closeReason, closeWith, door, type Frame, type Wire } from './socket.ts';
import { fakeClock } from './testing/clock.ts';

const family = {
  SAY: strict('verb', 'SAY', { text: z.string(), id: z.string().optional() }),
  offer: loose('type', 'offer', { sdp: z.string() }),
  EXPLODE: strict('msg', 'EXPLODE', {}),
  REJECT: strict('msg', 'REJECT', {}),
} as const;

const recordingWire = () => {
  const closes: { code: number; reason: string }[] = [];
  const wire: Wire = {
    remote: '192.0.2.1',
    backlog: () => 0,
    send: () => true,
    close: (code, reason) => void closes.push({ code, reason }),
  };
  return { wire, closes };
};

interface Setup {
  rate?: { per_second: number; burst: number };
  answer?: (refusal: Refusal, message: unknown) => void;
}

const openDoor = (setup: Setup = {}) => {
  const said: unknown[] = [];
  const answers: { refusal: Refusal; message: unknown }[] = [];
  const lines: Record<string, unknown>[] = [];
  const { wire, closes } = recordingWire();
  const clock = fakeClock();
  const handlers: Handlers<typeof family, unknown[]> = {
    SAY: (message, context) => void context.push(message),
    offer: (message, context) => void context.push(message),
    EXPLODE: () => {
      throw new Error('handler exploded');
    },
    REJECT: async () => {
      throw new Error('handler rejected');
    },
  };
  const take = door({
    family,
    handlers,
    context: said,
    wire,
    clock,
    log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    answer: setup.answer ?? ((refusal, message) => void answers.push({ refusal, message })),
    ...(setup.rate === undefined ? {} : { rate: setup.rate }),
  });
  return { take, said, answers, lines, closes, clock };
};

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('closeReason()', () => {
  test('closeReason() leaves a reason of 123 bytes alone', () => {
    expect(closeReason('x'.repeat(123))).toBe('x'.repeat(123));
    expect(closeReason('')).toBe('');
  });

  for (const character of ['x', 'é', 'я', '中', '👾']) {
    test(`closeReason() cuts a long text of "${character}" to 123 bytes without breaking a character`, () => {
      for (let lead = 0; lead < 5; lead++) {
        const cut = closeReason('x'.repeat(lead) + character.repeat(200));
        const bytes = Buffer.byteLength(cut);
        expect(bytes).toBeLessThanOrEqual(limits.close_reason_bytes);
        expect(bytes).toBeGreaterThan(limits.close_reason_bytes - Buffer.byteLength(character));
        expect(cut).not.toContain('\uFFFD');
      }
    });
  }
});

describe('closeCode()', () => {
  test('closeCode() lets only codes through that an endpoint may send', () => {
    const kept = Array.from({ length: 70_000 }, (_, code) => code).filter((code) => closeCode(code) === code);
    expect(kept.filter((code) => code < 3000)).toEqual([
      1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
    ]);
    expect(kept.filter((code) => code >= 3000)).toHaveLength(2000);
  });

  for (const code of [0, -1, 1002.5, Number.NaN, Number.POSITIVE_INFINITY, 1004, 1005, 1006, 1015, 5000]) {
    test(`closeCode() turns ${code} into 1000`, () => {
      expect(closeCode(code)).toBe(1000);
    });
  }
});

test('closeWith() closes with the code and the sentence of the error', () => {
  const { wire, closes } = recordingWire();
  closeWith(wire, { refused: 'app_unknown', detail: 'Loft' });
  expect(closes).toEqual([{ code: 4404, reason: 'There is no such app. Ask for the list of apps. (Loft)' }]);
});

describe('door()', () => {
  test('door() hands a valid message to the row of its name', () => {
    const { take, said, answers, closes } = openDoor();
    take('{"verb":"SAY","text":"hello"}');
    take('{"type":"offer","sdp":"v=0","extra":{"kept":true}}');
    take(new TextEncoder().encode('{"verb":"SAY","text":"привет"}'));
    expect(said).toEqual([
      { verb: 'SAY', text: 'hello' },
      { type: 'offer', sdp: 'v=0', extra: { kept: true } },
      { verb: 'SAY', text: 'привет' },
    ]);
    expect({ answers, closes }).toEqual({ answers: [], closes: [] });
  });

  const refused: [name: string, frame: Frame, code: string][] = [
    ['nothing', '', 'malformed'],
    ['no JSON', '{"verb":"SAY"', 'malformed'],
    ['null', 'null', 'malformed'],
    ['a number', '17', 'malformed'],
    ['a string', '"SAY"', 'malformed'],
    ['true', 'true', 'malformed'],
    ['an array', '[{"verb":"SAY","text":"x"}]', 'malformed'],
    ['an array nested 100,000 deep', nested(100_000), 'malformed'],
    ['a field nested 100,000 deep', `{"verb":"SAY","text":${nested(100_000)}}`, 'malformed'],
    ['no tag', '{"text":"x"}', 'malformed'],
    ['a tag that is null', '{"verb":null}', 'malformed'],
    ['a tag that is a number', '{"verb":7}', 'malformed'],
    ['a tag that is an object', '{"type":{"toString":"SAY"}}', 'malformed'],
    ['an unknown tag', '{"verb":"SHOUT"}', 'unknown_verb'],
    ['the tag "__proto__"', '{"verb":"__proto__"}', 'unknown_verb'],
    ['the tag "constructor"', '{"verb":"constructor"}', 'unknown_verb'],
    ['the tag "toString"', '{"type":"toString"}', 'unknown_verb'],
    ['the tag "hasOwnProperty"', '{"msg":"hasOwnProperty"}', 'unknown_verb'],
    ['a missing field', '{"verb":"SAY"}', 'malformed'],
    ['a field of the wrong type', '{"verb":"SAY","text":["x"]}', 'malformed'],
    ['an unknown field of a strict message', '{"verb":"SAY","text":"x","more":1}', 'malformed'],
    ['an own "__proto__" in a strict message', '{"verb":"SAY","text":"x","__proto__":{"a":1}}', 'malformed'],
    ['the right name under the wrong tag', '{"type":"SAY","text":"x"}', 'malformed'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xc3, 0x28, 0x22), 'malformed'],
    ['a cut multi-byte character', Uint8Array.of(0x22, 0xe2, 0x82), 'malformed'],
  ];
  for (const [name, frame, code] of refused) {
    test(`door() refuses ${name} as ${code}`, () => {
      const { take, said, answers, closes, lines } = openDoor();
      expect(() => take(frame)).not.toThrow();
      expect(answers.map(({ refusal }) => refusal.refused as string)).toEqual([code]);
      expect(lines).toHaveLength(1);
      expect({ said, closes }).toEqual({ said: [], closes: [] });
    });
  }

  test('door() keeps an own "__proto__" of a loose message away from every prototype', () => {
    const { take } = openDoor();
    take('{"type":"offer","sdp":"x","__proto__":{"polluted":true}}');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  test('door() passes the object on with the refusal, so that the answer can repeat its id', () => {
    const { take, answers } = openDoor();
    take('{"verb":"SAY","id":"a1"}');
    take('{"verb":"SHOUT","id":"a2"}');
    expect(answers.map(({ message }) => message)).toEqual([
      { verb: 'SAY', id: 'a1' },
      { verb: 'SHOUT', id: 'a2' },
    ]);
  });

  test('door() names the message and the field, and repeats little of what a stranger sent', () => {
    const { take, answers } = openDoor();
    take('{"verb":"SAY","text":1}');
    take(JSON.stringify({ verb: 'x'.repeat(60_000) }));
    take(JSON.stringify({ verb: 'SAY', text: '', ['y'.repeat(60_000)]: 1 }));
    const details = answers.map(({ refusal }) => refusal.detail ?? '');
    expect(details[0]).toStartWith('SAY.text: ');
    expect(details.map((detail) => detail.length <= 200)).toEqual([true, true, true]);
  });

  test('door() repeats nothing that ends a line or turns text around', () => {
    const { take, answers, lines } = openDoor();
    take(JSON.stringify({ type: 'a\u2028{"level":"error"}\u2029\u0085\u202e\ud800\n\u0000b' }));
    take(JSON.stringify({ verb: 'SAY', text: 'x', 'a\u2028b\u202e': 1 }));
    expect(answers[0]?.refusal).toEqual({ refused: 'unknown_verb', detail: 'a_{"level":"error"}______b' });
    for (const text of [JSON.stringify(answers[1]?.refusal), ...lines.map((line) => JSON.stringify(line))]) {
      expect(text).not.toMatch(/[\u0080-\u009f\u2028-\u202e]/);
    }
  });

  test('door() answers a throwing handler with internal and goes on', () => {
    const { take, said, answers, lines } = openDoor();
    take('{"msg":"EXPLODE"}');
    take('{"verb":"SAY","text":"still here"}');
    expect(answers.map(({ refusal }) => refusal.refused)).toEqual(['internal']);
    expect(lines[0]).toMatchObject({ message: 'EXPLODE', remote: '192.0.2.1' });
    expect(said).toHaveLength(1);
  });

  test('door() answers a rejecting handler with internal', async () => {
    const answered = Promise.withResolvers<Refusal>();
    const { take } = openDoor({ answer: answered.resolve });
    take('{"msg":"REJECT"}');
    expect(await answered.promise).toEqual({ refused: 'internal' });
  });

  for (const frame of ['null', '{"msg":"EXPLODE"}']) {
    test(`door() logs an answer that throws, after ${frame}`, () => {
      const { take, lines } = openDoor({
        answer: () => {
          throw new Error('answer exploded');
        },
      });
      expect(() => take(frame)).not.toThrow();
      expect(lines.map(({ msg }) => msg)).toContain('an answer failed');
    });
  }

  test('door() works without an answer', () => {
    const { wire, closes } = recordingWire();
    const take = door({
      family: { A: family.SAY },
      handlers: { A: () => {} },
      context: undefined,
      wire,
      clock: fakeClock(),
      log: silentLog,
    });
    expect(() => take('null')).not.toThrow();
    expect(closes).toEqual([]);
  });

  test('door() logs each kind of bad message once', () => {
    const { take, lines } = openDoor();
    for (let i = 0; i < 5; i++) take('null');
    for (let i = 0; i < 5; i++) take('{"verb":"SHOUT"}');
    expect(lines.map(({ refused }) => refused)).toEqual(['malformed', 'unknown_verb']);
  });

  test('door() closes after the budget of bad messages, and refills it after a minute', () => {
    const { take, closes, clock } = openDoor();
    for (let i = 0; i < limits.bad_messages_per_minute; i++) take('null');
    clock.advance(60_000);
    for (let i = 0; i < limits.bad_messages_per_minute; i++) take('null');
    expect(closes).toEqual([]);
    take('null');
    expect(closes.map(({ code }) => code)).toEqual([1008]);
  });

  test('door() closes a flood at once and refills at its rate', () => {
    const { take, said, closes, clock } = openDoor({ rate: { per_second: 10, burst: 20 } });
    const say = () => take('{"verb":"SAY","text":""}');
    for (let i = 0; i < 20; i++) say();
    clock.advance(500);
    for (let i = 0; i < 5; i++) say();
    expect({ said: said.length, closes }).toEqual({ said: 25, closes: [] });
    say();
    expect(said).toHaveLength(25);
    expect(closes.map(({ code }) => code)).toEqual([1008]);
  });

  test('door() without a rate takes any number of good messages', () => {
    const { take, said, closes } = openDoor();
    for (let i = 0; i < 5_000; i++) take('{"verb":"SAY","text":""}');
    expect({ said: said.length, closes }).toEqual({ said: 5_000, closes: [] });
  });

  test('door() answers each of 2,000 mutations of a message, and throws at none (seeded)', () => {
    const { take, said, answers } = openDoor();
    let seed = 20_261_120;
    const below = (most: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed % most;
    };
    const text = '{"verb":"SAY","text":"a\\u0041","id":"1","nested":[{"a":null},-1.5e3,true]}';
    for (let i = 0; i < 2_000; i++) {
      const bytes = Buffer.from(text);
      for (let edits = below(6); edits >= 0; edits--) bytes[below(bytes.length)] = below(256);
      const frame = bytes.subarray(0, 1 + below(bytes.length));
      take(i % 2 === 0 ? frame : frame.toString());
    }
    expect(said.length + answers.length).toBe(2_000);
  });
});
