import { createServer } from 'node:net';

/** Whether nobody on this machine listens on the port. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });

/** The configured range of local ports, lent to sessions. */
export interface Ports {
  /** So many ports that nobody listens on, or undefined when the range has not that many left. */
  take(count: number): Promise<number[] | undefined>;
  give(ports: readonly number[]): void;
  /** Counts these as lent: programs of an agent before this one use them. */
  hold(ports: readonly number[]): void;
  /** What is taken from now on comes from this range. */
  move(range: Range): void;
}

interface Range {
  from: number;
  to: number;
}

/** Walks round the range, so that a port which has just been given back, or found taken, is the last to be tried again. */
export const createPorts = (range: Range): Ports => {
  const lent = new Set<number>();
  let { from, to } = range;
  let next = from;
  const give = (ports: readonly number[]) => {
    for (const port of ports) lent.delete(port);
  };
  return {
    give,
    hold: (ports) => {
      for (const port of ports) lent.add(port);
    },
    move(moved) {
      if (moved.from === from && moved.to === to) return;
      ({ from, to } = moved);
      next = from;
    },
    async take(count) {
      const found: number[] = [];
      for (let tries = to - from + 1; tries > 0 && found.length < count; tries--) {
        const port = next;
        next = next === to ? from : next + 1;
        if (lent.has(port)) continue;
        lent.add(port);
        if (await isFree(port)) found.push(port);
        else lent.delete(port);
      }
      if (found.length === count) return found;
      give(found);
      return undefined;
    },
  };
};
