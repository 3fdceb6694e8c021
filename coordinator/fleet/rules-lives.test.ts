import { describe, expect, test } from 'bun:test';
import { isSecondMachine, type Lives, mayBeSecondMachine, tookOver } from './rules-lives.ts';

/** Lets each life take the link over in turn; "-" stands for a link that was lost meanwhile. The first refused, or none. */
const played = (story: string): string | undefined => {
  let lives: Lives | undefined;
  let held = false;
  for (const life of story) {
    if (life === '-') {
      held = false;
      continue;
    }
    if (isSecondMachine(lives, life, held)) return life;
    lives = tookOver(lives, life, held);
    held = true;
  }
  return undefined;
};

describe('isSecondMachine()', () => {
  test('isSecondMachine() sees a life that comes back while its successor holds the link', () => {
    expect(played('ABA')).toBe('A');
    expect(played('ABBBA')).toBe('A');
    expect(played('AB-A-BAB')).toBe('A');
    expect(played('ABCB')).toBe('B');
  });

  test('isSecondMachine() never means a restart, a redial, or a link that was lost unseen', () => {
    for (const story of ['A', 'AAAA', 'A-A-A', 'A-B-C', 'ABCDEFG', 'AAB-BBC-C', 'A-BBB-C', 'AB-A']) {
      expect(played(story)).toBeUndefined();
    }
  });
});

describe('mayBeSecondMachine()', () => {
  const holder = (life: string, ...superseded: string[]): Lives => ({ holder: life, superseded });
  const rows: [string, Lives | undefined, string | undefined, boolean, boolean][] = [
    ['another process while the link is open', holder('A'), 'B', true, true],
    ['one that was pushed out itself', holder('A', 'B'), 'B', true, true],
    ['one after another that draws no life', undefined, 'A', true, true],
    ['one that draws no life', holder('A'), undefined, true, true],
    ['two that draw no life', undefined, undefined, true, true],
    ['no redial over a link that died unseen', holder('A'), 'A', true, false],
    ['no restart: the link was closed', holder('A'), 'B', false, false],
    ['not the first one', undefined, 'A', false, false],
  ];
  for (const [what, lives, life, held, may] of rows) {
    test(`mayBeSecondMachine() suspects ${what}`, () => {
      expect(mayBeSecondMachine(lives, life, held)).toBe(may);
    });
  }
});

test('tookOver() remembers only so many lives', () => {
  const start: Lives = { holder: 'life-0', superseded: [] };
  const lives = Array.from({ length: 100 }, (_, at) => `life-${at + 1}`).reduce(
    (before, life) => tookOver(before, life, true),
    start,
  );
  expect(lives.superseded).toHaveLength(16);
  expect(lives.superseded.at(-1)).toBe('life-99');
});
