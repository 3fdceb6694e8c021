import type { Input, InputName, InputOf } from './data-channel.ts';
import type { Steering } from './walker.ts';

/** What one player's hands are doing. */
export interface Controls {
  readonly keys: ReadonlySet<number>;
  readonly buttons: ReadonlySet<number>;
  /** The mouse moved before it ever clicked, so the page does not lock it: then only dragging turns the head. */
  readonly hovering: boolean | undefined;
  /** Way of the pointer since its button went down, in pointer units; a click is a short one. */
  readonly dragged: number;
  readonly fingers: ReadonlyMap<number, { readonly x: number; readonly y: number }>;
  /** Sticks by axis number. */
  readonly sticks: ReadonlyMap<number, number>;
}

export const idleControls: Controls = {
  keys: new Set(),
  buttons: new Set(),
  hovering: undefined,
  dragged: 0,
  fingers: new Map(),
  sticks: new Map(),
};

/** What an input does to the flat. Angles in radians, right and up positive. */
export type Effect =
  | { do: 'look'; right: number; up: number }
  | { do: 'zoom'; by: number }
  | { do: 'switch_light' }
  | { do: 'switch_tone' };

interface Step {
  controls: Controls;
  effects: Effect[];
}

const LEFT_BUTTON = 0;
const TONE_KEY = 84;
/** Pointer units: the picture is 65536 wide, a delta of 32767 is half of it. */
const CLICK_TRAVEL = 700;
const RADIANS_PER_DELTA = 1.3 / 32767;
const RADIANS_PER_UNIT = 2.2 / 65536;
const OUTSIDE = 65535;
const ZOOM_PER_NOTCH = 0.06;
const NOTCH = 120;

const without = <T>(set: ReadonlySet<T>, item: T): ReadonlySet<T> =>
  new Set([...set].filter((one) => one !== item));

const only = (controls: Controls, ...effects: Effect[]): Step => ({ controls, effects });

const fingerDown = (controls: Controls, { finger, x, y }: InputOf<'TouchStart'>): Step =>
  only({ ...controls, fingers: new Map(controls.fingers).set(finger, { x, y }), dragged: 0 });

const fingerMove = (controls: Controls, { finger, x, y, valid }: InputOf<'TouchMove'>): Step => {
  const before = controls.fingers.get(finger);
  if (before === undefined || valid === 0) return only(controls);
  const [dx, dy] = [x - before.x, y - before.y];
  const moved: Controls = {
    ...controls,
    fingers: new Map(controls.fingers).set(finger, { x, y }),
    dragged: controls.dragged + Math.abs(dx) + Math.abs(dy),
  };
  if (controls.fingers.size > 1) return only(moved);
  return only(moved, { do: 'look', right: -dx * RADIANS_PER_UNIT, up: dy * RADIANS_PER_UNIT });
};

const fingerUp = (controls: Controls, { finger }: InputOf<'TouchEnd'>): Step => {
  const tapped =
    controls.fingers.size === 1 && controls.fingers.has(finger) && controls.dragged < CLICK_TRAVEL;
  const fingers = new Map([...controls.fingers].filter(([one]) => one !== finger));
  return only({ ...controls, fingers }, ...(tapped ? [{ do: 'switch_light' } as const] : []));
};

const mouseMove = (controls: Controls, { x, y, dx, dy }: InputOf<'MouseMove'>): Step => {
  const outside = x === OUTSIDE && y === OUTSIDE;
  const moved: Controls = {
    ...controls,
    hovering: controls.hovering ?? true,
    dragged: controls.dragged + Math.abs(dx) + Math.abs(dy),
  };
  if ((moved.hovering && moved.buttons.size === 0) || (moved.hovering && outside)) return only(moved);
  return only(moved, { do: 'look', right: dx * RADIANS_PER_DELTA, up: -dy * RADIANS_PER_DELTA });
};

const mouseUp = (controls: Controls, { button }: InputOf<'MouseUp'>): Step => {
  const clicked = button === LEFT_BUTTON && controls.buttons.has(button) && controls.dragged < CLICK_TRAVEL;
  const released = { ...controls, buttons: without(controls.buttons, button) };
  return only(released, ...(clicked ? [{ do: 'switch_light' } as const] : []));
};

/** One row for each input that hands make; the rest does not touch the controls. */
const rows: { [N in InputName]?: (controls: Controls, input: InputOf<N>) => Step } = {
  KeyDown: (controls, { key, repeat }) =>
    only(
      { ...controls, keys: new Set(controls.keys).add(key) },
      ...(key === TONE_KEY && repeat === 0 ? [{ do: 'switch_tone' } as const] : []),
    ),
  KeyUp: (controls, { key }) => only({ ...controls, keys: without(controls.keys, key) }),
  MouseLeave: (controls) => only({ ...controls, buttons: new Set() }),
  MouseDown: (controls, { button }) =>
    only({
      ...controls,
      hovering: controls.hovering ?? false,
      buttons: new Set(controls.buttons).add(button),
      dragged: 0,
    }),
  MouseUp: mouseUp,
  MouseMove: mouseMove,
  MouseWheel: (controls, { delta }) => only(controls, { do: 'zoom', by: (delta / NOTCH) * ZOOM_PER_NOTCH }),
  TouchStart: fingerDown,
  TouchMove: fingerMove,
  TouchEnd: fingerUp,
  GamepadAnalog: (controls, { axis, value }) =>
    only({ ...controls, sticks: new Map(controls.sticks).set(axis, Number.isFinite(value) ? value : 0) }),
  GamepadDisconnected: (controls) => only({ ...controls, sticks: new Map() }),
};

/** Takes one input of a player. */
export const applyInput = (controls: Controls, input: Input): Step => {
  // The row was looked up by the input's own name, so it takes this input.
  const row = rows[input.name] as ((controls: Controls, input: Input) => Step) | undefined;
  return row === undefined ? only(controls) : row(controls, input);
};

const STICK_REST = 0.15;

/** What all players' hands together ask of the one body. */
export const steeringOf = (players: readonly Controls[]): Steering => {
  const held = (...codes: number[]): number =>
    players.some(({ keys }) => codes.some((code) => keys.has(code))) ? 1 : 0;
  const stick = (axis: number): number => {
    const pushed = players.reduce((sum, { sticks }) => sum + (sticks.get(axis) ?? 0), 0);
    return Math.abs(pushed) < STICK_REST ? 0 : Math.min(1, Math.max(-1, pushed));
  };
  const twoFingers = players.some(({ fingers }) => fingers.size > 1) ? 1 : 0;
  return {
    ahead: held(87, 38) - held(83, 40) + stick(2) + twoFingers,
    aside: held(68) - held(65) + stick(1),
    turn: held(39, 69) - held(37, 81) + stick(3),
    rise: held(33) - held(34) + stick(4),
    run: held(16, 253) === 1,
  };
};
