import type { Ids } from '../ids.ts';

/** Predictable ids: `id-1`, `secret-1`, ...; `below` walks through the numbers in order. */
export const fakeIds = (): Ids => {
  let ids = 0;
  let secrets = 0;
  let draws = 0;
  return {
    id: () => `id-${++ids}`,
    secret: () => `secret-${++secrets}`,
    below: (below) => draws++ % below,
  };
};
