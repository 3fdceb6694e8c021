import { describe, expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { seeded } from '../../shared/testing/random.ts';
import { bounds } from '../kit/limits.ts';
import { createShares, type Owner } from './shares.ts';

const { participant_bytes_burst, participant_bytes_per_second, session_bytes_burst, frame_cost_bytes } =
  bounds;
/** With what it counts for beside its bytes, so much. */
const kib = (count: number): number => count * 1024 - frame_cost_bytes;
const owner = (session: string, participant: string): Owner => ({ session, participant });

const opened = (...owners: Owner[]) => {
  const clock = fakeClock();
  const shares = createShares(clock);
  const closes = owners.map((one) => shares.open(one));
  return { clock, shares, closes };
};

describe('createShares()', () => {
  test('createShares() closes a participant beyond its share, over all its connections, and goes on to', () => {
    const ann = owner('s', 'ann');
    const { clock, shares, closes } = opened(ann, ann);
    for (let sent = 0; sent < participant_bytes_burst; sent += 64 * 1024) {
      expect(shares.spend(ann, kib(64))).toBeUndefined();
    }
    expect(shares.spend(ann, 1)).toEqual(ann);
    for (const close of closes) close();
    const close = shares.open(ann);
    expect(shares.spend(ann, 1)).toEqual(ann);
    clock.advance(1_000);
    expect(shares.spend(ann, participant_bytes_per_second - frame_cost_bytes)).toBeUndefined();
    expect(shares.spend(ann, 1)).toEqual(ann);
    close();
  });

  test('createShares() counts a frame for more than its bytes', () => {
    const ann = owner('s', 'ann');
    const { shares } = opened(ann);
    let frames = 0;
    while (shares.spend(ann, 0) === undefined) frames += 1;
    expect(frames).toBe(participant_bytes_burst / frame_cost_bytes);
  });

  test('createShares() closes who used most of a session, and never who speaks beside it', () => {
    const gluttons = ['a', 'b', 'c'].map((name) => owner('s', name));
    const [honest, elsewhere] = [owner('s', 'honest'), owner('t', 'elsewhere')];
    const { shares, closes } = opened(...gluttons, honest, elsewhere);
    const closed = new Set<string>();
    for (let round = 0; round < 40; round++) {
      for (const one of [...gluttons, honest, elsewhere]) {
        if (closed.has(one.participant)) continue;
        const beyond = shares.spend(one, gluttons.includes(one) ? kib(32) : kib(1));
        if (beyond === undefined) continue;
        const number = gluttons.findIndex(({ participant }) => participant === beyond.participant);
        closes[number]?.();
        closed.add(beyond.participant);
      }
    }
    expect([...closed].sort()).toEqual(['a', 'b', 'c']);
    expect(shares.spend(honest, kib(1))).toBeUndefined();
  });

  test('createShares() lets a session through no more than its burst and its rate, whoever speaks', () => {
    const random = seeded(7);
    const names = Array.from({ length: 32 }, (_, number) => owner('s', `p${number}`));
    const { clock, shares } = opened(...names);
    const gone = new Set<string>();
    let passed = 0;
    for (let step = 0; step < 20_000; step++) {
      const one = names[random.below(names.length)] ?? owner('s', 'p0');
      if (gone.has(one.participant)) continue;
      const bytes = random.below(16 * 1024);
      const beyond = shares.spend(one, bytes);
      if (beyond !== undefined) gone.add(beyond.participant);
      if (beyond?.participant !== one.participant) passed += bytes;
      clock.advance(1);
    }
    // What has passed the burst passes in small pieces, and is bounded too.
    expect(passed).toBeLessThan(2 * session_bytes_burst + 20 * bounds.session_bytes_per_second);
    expect(gone.size).toBeGreaterThan(0);
  });

  test('createShares() names the greatest of the session that uses most, if it is worth a word', () => {
    const [a, b, c] = [owner('s', 'a'), owner('s', 'b'), owner('t', 'c')];
    const { clock, shares, closes } = opened(a, b, c);
    shares.spend(a, kib(63));
    expect(shares.greatest()).toBeUndefined();
    shares.spend(a, kib(100));
    shares.spend(b, kib(130));
    shares.spend(c, kib(200));
    expect(shares.greatest()).toEqual(a);
    closes[0]?.();
    expect(shares.greatest()).toEqual(b);
    closes[1]?.();
    expect(shares.greatest()).toEqual(c);
    clock.advance(60_000);
    expect(shares.greatest()).toBeUndefined();
  });
});
