import { expect, test } from 'bun:test';
import { keysHeld, type WalkKey } from './stick-keys.ts';

test('keysHeld() rests in the middle, holds one key straight on and two aslant', () => {
  const rows: [x: number, y: number, keys: WalkKey[]][] = [
    [0, 0, []],
    [0.2, -0.2, []],
    [0, -1, ['ahead']],
    [0, 0.5, ['back']],
    [-3, 0, ['left']],
    [0.4, 0, ['right']],
    [0.7, -0.7, ['ahead', 'right']],
    [-0.7, 0.7, ['back', 'left']],
    [0.3, -1, ['ahead']],
  ];
  for (const [x, y, keys] of rows) expect([x, y, keysHeld(x, y)]).toEqual([x, y, keys]);
});
