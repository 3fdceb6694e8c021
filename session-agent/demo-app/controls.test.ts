import { describe, expect, test } from 'bun:test';
import { applyInput, type Controls, idleControls, steeringOf } from './controls.ts';
import type { Input } from './data-channel.ts';

const center = { x: 32768, y: 32768 };
const down: Input = { name: 'MouseDown', button: 0, ...center };
const up: Input = { name: 'MouseUp', button: 0, ...center };
const move = (dx: number, dy = 0): Input => ({ name: 'MouseMove', ...center, dx, dy });
const finger = (name: 'TouchStart' | 'TouchMove' | 'TouchEnd', x: number, index = 0): Input => ({
  name,
  touches: 1,
  x,
  y: 30000,
  finger: index,
  force: 255,
  valid: 1,
});

/** All effects of a row of inputs, and the hands afterwards. */
const play = (...inputs: Input[]) => {
  const effects: string[] = [];
  let controls: Controls = idleControls;
  for (const input of inputs) {
    const step = applyInput(controls, input);
    controls = step.controls;
    effects.push(...step.effects.map((effect) => effect.do));
  }
  return { controls, effects };
};

describe('applyInput()', () => {
  test('applyInput() takes a press and release on the spot for a click', () => {
    expect(play(down, up).effects).toEqual(['switch_light']);
    expect(play(down, move(20), up).effects).toEqual(['look', 'switch_light']);
    expect(play(down, move(5000), up).effects).toEqual(['look']);
    expect(play({ ...down, button: 2 }, { ...up, button: 2 }).effects).toEqual([]);
    expect(play(up).effects).toEqual([]);
  });

  test('applyInput() turns the head of a hovering mouse only while a button is held', () => {
    expect(play(move(500)).effects).toEqual([]);
    expect(play(move(500), down, move(5000)).effects).toEqual(['look']);
    expect(play(move(500), down, { name: 'MouseLeave' }, move(500)).effects).toEqual([]);
  });

  test('applyInput() turns the head of a locked mouse always: it clicked before it moved', () => {
    expect(play(down, up, move(500)).effects).toEqual(['switch_light', 'look']);
  });

  test('applyInput() looks right and down for a mouse that goes right and down', () => {
    const { controls } = play(down);
    expect(applyInput(controls, move(32767, 32767)).effects).toEqual([{ do: 'look', right: 1.3, up: -1.3 }]);
  });

  test('applyInput() turns by one finger, walks by two, clicks by a tap', () => {
    expect(play(finger('TouchStart', 30000), finger('TouchEnd', 30000)).effects).toEqual(['switch_light']);
    const dragged = play(finger('TouchStart', 30000), finger('TouchMove', 36000), finger('TouchEnd', 36000));
    expect(dragged.effects).toEqual(['look']);
    const two = play(finger('TouchStart', 30000), finger('TouchStart', 40000, 1)).controls;
    expect(steeringOf([two]).ahead).toBe(1);
    expect(play(finger('TouchMove', 1), finger('TouchEnd', 1)).effects).toEqual([]);
  });

  test('applyInput() switches the tone once for a held T', () => {
    const key = { name: 'KeyDown', key: 84 } as const;
    expect(play({ ...key, repeat: 0 }, { ...key, repeat: 1 }).effects).toEqual(['switch_tone']);
  });
});

describe('steeringOf()', () => {
  test.each([
    [87, { ahead: 1 }],
    [38, { ahead: 1 }],
    [83, { ahead: -1 }],
    [65, { aside: -1 }],
    [68, { aside: 1 }],
    [37, { turn: -1 }],
    [39, { turn: 1 }],
  ])('steeringOf() obeys key %d until it is released', (key, expected) => {
    const held = play({ name: 'KeyDown', key, repeat: 0 }).controls;
    expect(steeringOf([idleControls, held])).toMatchObject(expected);
    expect(steeringOf([applyInput(held, { name: 'KeyUp', key }).controls])).toEqual(steeringOf([]));
  });

  test('steeringOf() takes sticks, but neither their rest nor nonsense', () => {
    const stick = (value: number) =>
      steeringOf([play({ name: 'GamepadAnalog', controller: 0, axis: 2, value }).controls]).ahead;
    expect(stick(0.8)).toBe(0.8);
    expect(stick(0.1)).toBe(0);
    expect(stick(Number.NaN)).toBe(0);
    expect(stick(1e300)).toBe(1);
  });
});
