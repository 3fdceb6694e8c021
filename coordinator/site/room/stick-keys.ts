/** The keys that walk, in Unreal's templates and most apps made from them. */
export const walkKeys = {
  ahead: { code: 'KeyW', key: 'w', keyCode: 87 },
  left: { code: 'KeyA', key: 'a', keyCode: 65 },
  back: { code: 'KeyS', key: 's', keyCode: 83 },
  right: { code: 'KeyD', key: 'd', keyCode: 68 },
} as const;
export type WalkKey = keyof typeof walkKeys;

/** Share of the radius within which a thumb rests. */
const rest = 0.3;
/** A direction is held from here on, so that the slant between two holds both: the sine of 22.5 degrees. */
const slant = 0.383;

/** The keys that a thumb holds, which is this far from the middle of the stick, as shares of its radius; down is positive. */
export const keysHeld = (x: number, y: number): WalkKey[] => {
  const way = Math.hypot(x, y);
  if (way < rest) return [];
  const keys: WalkKey[] = [];
  if (y / way < -slant) keys.push('ahead');
  if (y / way > slant) keys.push('back');
  if (x / way < -slant) keys.push('left');
  if (x / way > slant) keys.push('right');
  return keys;
};
