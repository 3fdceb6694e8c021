import { applyInput, type Controls, type Effect, idleControls, steeringOf } from './controls.ts';
import type { Input } from './data-channel.ts';
import { look, startingWalker, type Walker, walk, zoom } from './walker.ts';

/** Everything that the players share. */
export interface World {
  readonly walker: Walker;
  readonly lightOn: boolean;
  /** How far the lamps have followed the switch, 0..1. */
  readonly lamp: number;
  readonly toneOn: boolean;
  readonly showFps: boolean;
  readonly players: ReadonlyMap<string, Controls>;
  /** Inputs taken so far: shown on the picture on demand, so that delays can be measured. */
  readonly inputs: number;
}

export const newWorld: World = {
  walker: startingWalker,
  lightOn: true,
  lamp: 1,
  toneOn: false,
  showFps: false,
  players: new Map(),
  inputs: 0,
};

/** Seconds that the lamps take to light up or go out. */
const FADE_SECONDS = 0.12;

const affect = (world: World, effect: Effect): World => {
  switch (effect.do) {
    case 'look':
      return { ...world, walker: look(world.walker, effect.right, effect.up) };
    case 'zoom':
      return { ...world, walker: zoom(world.walker, effect.by) };
    case 'switch_light':
      return { ...world, lightOn: !world.lightOn };
    case 'switch_tone':
      return { ...world, toneOn: !world.toneOn };
  }
};

/** An input of a player. */
export const takeInput = (world: World, player: string, input: Input): World => {
  const { controls, effects } = applyInput(world.players.get(player) ?? idleControls, input);
  const players = new Map(world.players).set(player, controls);
  return effects.reduce(affect, { ...world, players, inputs: world.inputs + 1 });
};

/** A player is gone, and with it whatever it held down. */
export const dropPlayer = (world: World, player: string): World => {
  const players = new Map([...world.players].filter(([id]) => id !== player));
  return { ...world, players, toneOn: players.size > 0 && world.toneOn };
};

/** Time passes. */
export const advance = (world: World, seconds: number, obstacles: Parameters<typeof walk>[3]): World => {
  const wished = world.lightOn ? 1 : 0;
  const most = seconds / FADE_SECONDS;
  return {
    ...world,
    walker: walk(world.walker, steeringOf([...world.players.values()]), seconds, obstacles),
    lamp: world.lamp + Math.min(most, Math.max(-most, wished - world.lamp)),
  };
};
