import { describe, expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { seeded } from '../../shared/testing/random.ts';
import { recordedLog } from '../testing/log.ts';
import type { Pipe } from './bus.ts';
import { bounds } from './limits.ts';
import { decodeMail, encodeMail, frameKinds } from './mail.ts';
import { createPipes, type Pipes } from './pipes.ts';

/** Two processes, and a way between them that loses mails, or knows that it has lost one, as the test says. */
const between = (fate: () => 'arrives' | 'vanishes' | 'fails' | 'nobody') => {
  const clock = fakeClock();
  const { log } = recordedLog();
  const ends: Record<string, Pipes> = {};
  const under_way: Promise<void>[] = [];
  const make = (id: string) =>
    createPipes({
      id,
      clock,
      log,
      async post(process, mail) {
        const how = fate();
        if (how === 'nobody') return 0;
        if (how === 'fails') throw new Error('lost');
        const { promise, resolve } = Promise.withResolvers<void>();
        under_way.push(promise);
        setImmediate(() => {
          if (how === 'arrives') ends[process]?.arrived(Buffer.from(mail));
          resolve();
        });
        await promise;
        return 1;
      },
    });
  const [a, b] = [make('a'), make('b')];
  Object.assign(ends, { a, b });
  for (const { tick } of [a, b]) clock.every(bounds.pipe_beat_ms, tick);
  return {
    ...{ a, b, clock },
    /** Until nothing is under way any more. */
    async settled() {
      do {
        await Promise.all(under_way.splice(0));
        await new Promise(setImmediate);
      } while (under_way.length > 0);
    },
  };
};

describe('createPipes()', () => {
  for (let seed = 1; seed <= 60; seed++) {
    test(`createPipes() lets no pipe go on with a gap, seed ${seed}`, async () => {
      const random = seeded(seed);
      const worst = random.below(3);
      let reliable = false;
      const { a, b, clock, settled } = between(() => {
        if (reliable || random.below(12) > worst) return 'arrives';
        return random.pick(['vanishes', 'fails', 'nobody']);
      });
      interface End {
        readonly sent: string[];
        readonly got: string[];
        over: boolean;
        pipe: Pipe | undefined;
      }
      const pairs = new Map<string, { near: End; far: End }>();
      const newEnd = (): End => ({ sent: [], got: [], over: false, pipe: undefined });
      const hears = (end: End) => ({
        data(bytes: Uint8Array) {
          expect(end.over).toBe(false);
          end.got.push(Buffer.from(bytes).toString());
        },
        closed() {
          expect(end.over).toBe(false);
          end.over = true;
        },
        lost() {
          expect(end.over).toBe(false);
          end.over = true;
        },
      });
      for (const pipes of [a, b]) {
        pipes.accept((opening, _, pipe) => {
          const far = pairs.get(Buffer.from(opening).toString())?.far;
          if (far === undefined) return undefined;
          far.pipe = pipe;
          return hears(far);
        });
      }
      for (let step = 0; step < 120; step++) {
        if (random.below(5) === 0) {
          const [from, to] = random.pick([[a, 'b'] as const, [b, 'a'] as const]);
          const pair = { near: newEnd(), far: newEnd() };
          pairs.set(String(step), pair);
          pair.near.pipe = from.dial(to, Buffer.from(String(step)), hears(pair.near));
        }
        for (const end of [...pairs.values()].flatMap(({ near, far }) => [near, far])) {
          if (end.over || end.pipe === undefined || random.below(2) === 0) continue;
          const text = `${step} ${end.sent.length}`;
          end.sent.push(text);
          end.pipe.send(Buffer.from(text));
        }
        if (random.below(3) === 0) await new Promise(setImmediate);
        if (random.below(10) === 0) clock.advance(1_000);
      }
      await settled();
      for (const { near, far } of pairs.values()) {
        expect(near.got).toEqual(far.sent.slice(0, near.got.length));
        expect(far.got).toEqual(near.sent.slice(0, far.got.length));
      }
      // Whatever was lost last is noticed: then both ends are over, or both have all.
      reliable = true;
      for (let beat = 0; beat < 12; beat++) {
        clock.advance(2_000);
        await settled();
      }
      for (const { near, far } of pairs.values()) {
        if (near.over) expect([far.over, far.pipe]).not.toEqual([false, expect.anything()]);
        else expect([far.over, near.got, far.got]).toEqual([false, far.sent, near.sent]);
      }
      a.stop();
      b.stop();
    });
  }

  test('createPipes() gives up who is silent, and forgets who has nothing to say', async () => {
    let how: 'arrives' | 'vanishes' = 'arrives';
    const { a, b, clock, settled } = between(() => how);
    const told: string[] = [];
    const end = (name: string) => ({
      data: () => {},
      closed: () => told.push(`${name} closed`),
      lost: () => told.push(`${name} lost`),
    });
    b.accept(() => end('far'));
    a.dial('b', Buffer.alloc(0), end('first')).close(1000, '');
    await settled();
    clock.advance(300_000);
    a.dial('b', Buffer.alloc(0), end('near'));
    for (let beat = 0; beat < 20; beat++) {
      clock.advance(2_000);
      await settled();
    }
    expect(told).toEqual(['far closed']);
    how = 'vanishes';
    for (let beat = 0; beat < 6; beat++) {
      clock.advance(2_000);
      await settled();
    }
    expect(told.slice(1).toSorted()).toEqual(['far lost', 'near lost']);
    a.stop();
    b.stop();
  });
});

describe('decodeMail()', () => {
  test('decodeMail() reads what encodeMail() writes, and nothing else', () => {
    const frames = frameKinds.map((kind, at) => ({
      kind,
      dialler: at % 2 === 0,
      pipe: 2 ** 32 - 1 - at,
      bytes: new Uint8Array(Buffer.alloc(at * 3, at)),
    }));
    const mail = { from: 'процесс', number: 2 ** 32 - 1, frames };
    const bytes = encodeMail(mail);
    const read = decodeMail(bytes);
    expect({
      ...read,
      frames: read?.frames.map((one) => ({ ...one, bytes: new Uint8Array(one.bytes) })),
    }).toEqual(mail);
    const whole = new Set<number>();
    for (let length = 0; length < bytes.length; length++) {
      const cut = decodeMail(bytes.subarray(0, length));
      if (cut !== undefined) whole.add(cut.frames.length);
    }
    // Only at the ends of frames is something cut off a mail as well.
    expect([...whole]).toEqual(frames.map((_, at) => at));
    expect(decodeMail(Buffer.from('no mail'))).toBeUndefined();
  });
});
