import type { Cancel, Clock } from '../shared/clock.ts';
import type { LinkState } from './link.ts';

const LOOK_MS = 1_000;

export interface AloneOptions {
  clock: Clock;
  link(): Pick<LinkState, 'state' | 'since'>;
  /** How long it may last; read at each look, 0 for ever. */
  minutes(): number;
  /** Called once for each time without a connection that lasts so long. */
  alone(): void;
}

/**
 * Looks, until cancelled, how long the agent has been without a welcome of its coordinator, on the clock that nobody can set.
 * What an agent is refused for, a quarantine for one, is no welcome either.
 */
export const watchAlone = ({ clock, link, minutes, alone }: AloneOptions): Cancel => {
  let outage: number | undefined;
  let began = clock.monotonic();
  let told = false;
  return clock.every(LOOK_MS, () => {
    const { state, since } = link();
    const now = clock.monotonic();
    // Connections shorter than the time between two looks show in `since`.
    if (state === 'connected' || since !== outage) {
      outage = state === 'connected' ? undefined : since;
      began = now;
      told = false;
    }
    const longest_ms = minutes() * 60_000;
    if (told || longest_ms === 0 || now - began < longest_ms) return;
    told = true;
    alone();
  });
};
