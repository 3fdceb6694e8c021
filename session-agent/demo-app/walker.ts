import type { View } from './picture/raster.ts';

/** Somebody in the flat: where they stand (metres), how they look (radians) and how they move (metres a second). */
export interface Walker {
  readonly x: number;
  readonly y: number;
  /** 0 looks east, a quarter turn north. */
  readonly yaw: number;
  readonly pitch: number;
  /** Tangent of half the horizontal field of view. */
  readonly spread: number;
  readonly vx: number;
  readonly vy: number;
}

/** What the body is asked to do, each -1..1: ahead, to the right, and turning right and up. */
export interface Steering {
  readonly ahead: number;
  readonly aside: number;
  readonly turn: number;
  readonly rise: number;
  readonly run: boolean;
}

/** A block's footprint. */
interface Obstacle {
  readonly min: readonly [number, number, number];
  readonly max: readonly [number, number, number];
}

export const startingWalker: Walker = { x: 5.4, y: 4.2, yaw: 3.83, pitch: -0.08, spread: 0.81, vx: 0, vy: 0 };

const EYE_METRES = 1.6;
const BODY_RADIUS = 0.22;
const WALK_SPEED = 2.4;
const RUN_SPEED = 4.5;
/** How fast the wish becomes speed, per second. */
const AGILITY = 14;
const TURN_SPEED = 1.7;
const PITCH_LIMIT = 1.2;
const SPREAD_LIMITS = [0.45, 1.15] as const;
/** A longer pause between two steps than this is walked as if it were this long. */
const longest_step_s = 0.1;
const rest_speed = 0.01;

const within = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

const blocked = (x: number, y: number, obstacles: readonly Obstacle[]): boolean =>
  obstacles.some(
    ({ min, max }) =>
      x > min[0] - BODY_RADIUS &&
      x < max[0] + BODY_RADIUS &&
      y > min[1] - BODY_RADIUS &&
      y < max[1] + BODY_RADIUS,
  );

/** Looks around by angles in radians, right and up positive. */
export const look = (walker: Walker, right: number, up: number): Walker => ({
  ...walker,
  yaw: (walker.yaw - right) % (2 * Math.PI),
  pitch: within(walker.pitch + up, -PITCH_LIMIT, PITCH_LIMIT),
});

/** Narrows (positive) or widens the field of view by a share. */
export const zoom = (walker: Walker, by: number): Walker => ({
  ...walker,
  spread: within(walker.spread * (1 - by), ...SPREAD_LIMITS),
});

/** Walks for some seconds. Walls and furniture stop the part of the way that leads into them: one slides along. */
export const walk = (
  walker: Walker,
  steering: Steering,
  seconds: number,
  obstacles: readonly Obstacle[],
): Walker => {
  const time = Math.min(seconds, longest_step_s);
  const turned = look(walker, steering.turn * TURN_SPEED * time, steering.rise * TURN_SPEED * time);
  const [cos, sin] = [Math.cos(turned.yaw), Math.sin(turned.yaw)];
  const wish = Math.hypot(steering.ahead, steering.aside);
  const speed = (steering.run ? RUN_SPEED : WALK_SPEED) / Math.max(1, wish);
  const toward = Math.min(1, AGILITY * time);
  const eased = (now: number, wished: number): number => {
    const next = now + (wished - now) * toward;
    return Math.abs(next) < rest_speed ? 0 : next;
  };
  const vx = eased(walker.vx, (cos * steering.ahead + sin * steering.aside) * speed);
  const vy = eased(walker.vy, (sin * steering.ahead - cos * steering.aside) * speed);
  const x = walker.x + vx * time;
  const freeX = !blocked(x, walker.y, obstacles);
  const y = walker.y + vy * time;
  const freeY = !blocked(freeX ? x : walker.x, y, obstacles);
  return {
    ...turned,
    x: freeX ? x : walker.x,
    y: freeY ? y : walker.y,
    vx: freeX ? vx : 0,
    vy: freeY ? vy : 0,
  };
};

/** What the walker's eyes see. */
export const viewOf = ({ x, y, yaw, pitch, spread }: Walker): View => {
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
  const [level, rise] = [Math.cos(pitch), Math.sin(pitch)];
  return {
    eye: [x, y, EYE_METRES],
    forward: [cos * level, sin * level, rise],
    right: [sin, -cos, 0],
    up: [-cos * rise, -sin * rise, level],
    spread,
  };
};
