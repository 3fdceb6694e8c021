import type { Cancel, Clock } from '../../shared/clock.ts';
import { bounds } from '../kit/limits.ts';
import type { World } from './live.ts';

/** Requests that wait for a session to change. */
export interface Waiting {
  /**
   * Resolves when the session changes, when `bounds.long_poll_ms` have passed, when the caller goes away, or at the
   * stop; at once when too many wait already.
   */
  change(session_id: string, aborted: AbortSignal): Promise<void>;
  /** Releases everybody, now and from now on. */
  stop(): void;
}

export const createWaiting = (world: World, clock: Clock): Waiting => {
  const releases = new Set<() => void>();
  const perSession = new Map<string, number>();
  let stopped = false;

  const full = (session_id: string): boolean =>
    stopped ||
    releases.size >= bounds.waiters ||
    (perSession.get(session_id) ?? 0) >= bounds.waiters_per_session;

  const count = (session_id: string, by: number) => {
    const now = (perSession.get(session_id) ?? 0) + by;
    if (now === 0) perSession.delete(session_id);
    else perSession.set(session_id, now);
  };

  return {
    change(session_id, aborted) {
      if (full(session_id) || aborted.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const cancels: Cancel[] = [];
        const release = () => {
          if (!releases.delete(release)) return;
          count(session_id, -1);
          for (const cancel of cancels) cancel();
          resolve();
        };
        releases.add(release);
        count(session_id, 1);
        aborted.addEventListener('abort', release, { once: true });
        cancels.push(
          world.sessions.watch(session_id, release),
          clock.after(bounds.long_poll_ms, release),
          () => aborted.removeEventListener('abort', release),
        );
      });
    },
    stop() {
      stopped = true;
      for (const release of [...releases]) release();
    },
  };
};
