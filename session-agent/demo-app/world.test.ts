import { expect, test } from 'bun:test';
import type { Input } from './data-channel.ts';
import { advance, dropPlayer, newWorld, takeInput } from './world.ts';

const w: Input = { name: 'KeyDown', key: 87, repeat: 0 };
const click: Input[] = [
  { name: 'MouseDown', button: 0, x: 1, y: 1 },
  { name: 'MouseUp', button: 0, x: 1, y: 1 },
];

test('takeInput() counts inputs and lets any player steer', () => {
  const world = takeInput(takeInput(newWorld, '1', w), '2', { name: 'KeyUp', key: 87 });
  expect(world.inputs).toBe(2);
  expect(advance(world, 0.1, []).walker.x).not.toBe(newWorld.walker.x);
});

test('takeInput() switches the lamps by a click; advance() fades them', () => {
  const dark = click.reduce((world, input) => takeInput(world, '1', input), newWorld);
  expect(dark.lightOn).toBeFalse();
  const half = advance(dark, 0.06, []);
  expect(half.lamp).toBeCloseTo(0.5, 6);
  expect(advance(advance(half, 0.06, []), 1, []).lamp).toBe(0);
});

test('dropPlayer() releases what the player held, and silences the tone after the last', () => {
  const playing = takeInput(takeInput(newWorld, '1', w), '1', { name: 'KeyDown', key: 84, repeat: 0 });
  expect(playing.toneOn).toBeTrue();
  const empty = dropPlayer(playing, '1');
  expect(empty.toneOn).toBeFalse();
  expect(advance(empty, 0.1, []).walker).toEqual(newWorld.walker);
});
