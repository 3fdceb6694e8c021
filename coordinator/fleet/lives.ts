import type { World } from '../sessions/live.ts';
import { isSecondMachine, type Lives, mayBeSecondMachine, tookOver } from './rules-lives.ts';

/** Which process of its agent spoke last for each host, and which hosts were given up. `life` is what that process drew. */
export interface HostLives {
  /** Whether this process shows, by coming back, that two machines have the host's key; `held`: the host has a link. */
  isClone(host: string, life: string | undefined, held: boolean): boolean;
  /** Whether it may be a second machine, as far as can be known when it comes. */
  mayBeClone(host: string, life: string | undefined, held: boolean): boolean;
  /** Notes that it speaks for the host now; `held`: the host has the link still that it replaces. */
  note(host: string, life: string | undefined, held: boolean): void;
  /** Hosts that were given up and have not come back, with when they were last heard of. */
  readonly lost: Map<string, number | null>;
}

export const createLives = (): HostLives => {
  const lives = new Map<string, Lives>();
  return {
    isClone: (host, life, held) => life !== undefined && isSecondMachine(lives.get(host), life, held),
    mayBeClone: (host, life, held) => mayBeSecondMachine(lives.get(host), life, held),
    note(host, life, held) {
      // An agent that draws no life says nothing about who else is alive.
      if (life === undefined) lives.delete(host);
      else lives.set(host, tookOver(lives.get(host), life, held));
    },
    lost: new Map(),
  };
};

/** What the fleet works with. */
export interface Fleet extends World {
  readonly lives: HostLives;
}
