import { describe, expect, test } from 'bun:test';
import { createScene } from './picture/scene.ts';
import { styles } from './picture/style.ts';
import { look, type Steering, startingWalker, viewOf, type Walker, walk, zoom } from './walker.ts';

const still: Steering = { ahead: 0, aside: 0, turn: 0, rise: 0, run: false };
const { obstacles } = createScene(styles.loft);

const walkFor = (walker: Walker, steering: Partial<Steering>, seconds: number, among = obstacles): Walker => {
  let now = walker;
  for (let passed = 0; passed < seconds; passed += 1 / 30)
    now = walk(now, { ...still, ...steering }, 1 / 30, among);
  return now;
};

describe('walk()', () => {
  test('walk() goes where the eyes look, and aside at right angles', () => {
    const east = { ...startingWalker, yaw: 0 };
    const ahead = walkFor(east, { ahead: 1 }, 1, []);
    expect(ahead.x - east.x).toBeGreaterThan(1.5);
    expect(ahead.y).toBeCloseTo(east.y, 6);
    const right = walkFor(east, { aside: 1 }, 1, []);
    expect(right.x).toBeCloseTo(east.x, 6);
    expect(right.y - east.y).toBeLessThan(-1.5);
  });

  test('walk() is no faster aslant, and faster when running', () => {
    const way = (steering: Partial<Steering>) => {
      const end = walkFor(startingWalker, steering, 1, []);
      return Math.hypot(end.x - startingWalker.x, end.y - startingWalker.y);
    };
    expect(way({ ahead: 1, aside: 1 })).toBeCloseTo(way({ ahead: 1 }), 5);
    expect(way({ ahead: 1, run: true })).toBeGreaterThan(1.5 * way({ ahead: 1 }));
  });

  test('walk() comes to rest when nothing is pressed', () => {
    const rested = walkFor(walkFor(startingWalker, { ahead: 1 }, 0.5, []), {}, 1, []);
    expect(walk(rested, still, 1 / 30, [])).toEqual(rested);
  });

  test('walk() never leaves the flat nor enters furniture, wherever one heads', () => {
    for (let turn = 0; turn < 24; turn++) {
      const { x, y } = walkFor({ ...startingWalker, yaw: (turn * Math.PI) / 12 }, { ahead: 1, run: true }, 8);
      expect(x > 0 && x < 10 && y > 0 && y < 8).toBeTrue();
      const inside = obstacles.some(({ min, max }) => x > min[0] && x < max[0] && y > min[1] && y < max[1]);
      expect(inside).toBeFalse();
    }
  });

  test('walk() slides along a wall', () => {
    const wall = [{ min: [2, -9, 0], max: [3, 9, 2], material: 'innerWall' } as const];
    const end = walkFor({ ...startingWalker, x: 1, y: 0, yaw: Math.PI / 4 }, { ahead: 1 }, 2, wall);
    expect(end.x).toBeLessThan(2);
    expect(end.y).toBeGreaterThan(2);
  });

  test('walk() does not jump over a wall after a long pause', () => {
    const wall = [{ min: [2, -9, 0], max: [3, 9, 2], material: 'innerWall' } as const];
    const fast: Walker = { ...startingWalker, x: 1, y: 0, yaw: 0, vx: 4.5 };
    expect(walk(fast, { ...still, ahead: 1, run: true }, 60, wall).x).toBeLessThan(2);
  });
});

test('look() stops at up and down, zoom() at its narrowest and widest', () => {
  expect(look(startingWalker, 0, 99).pitch).toBe(1.2);
  expect(look(startingWalker, 0, -99).pitch).toBe(-1.2);
  expect(zoom(startingWalker, 0.9).spread).toBe(0.45);
  expect(zoom(startingWalker, -9).spread).toBe(1.15);
});

test('viewOf() gives three unit vectors at right angles', () => {
  const { forward, right, up } = viewOf(look(startingWalker, 1.1, 0.4));
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  for (const axis of [forward, right, up]) expect(dot(axis, axis)).toBeCloseTo(1, 9);
  for (const [a, b] of [[forward, right] as const, [forward, up] as const, [right, up] as const]) {
    expect(dot(a, b)).toBeCloseTo(0, 9);
  }
});
