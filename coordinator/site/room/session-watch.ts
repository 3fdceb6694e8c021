import type { Clock } from '../../../shared/clock.ts';
import type { Session } from '../../../shared/protocol/http.ts';
import { type Answer, canRetry, type Failure, isFailure } from '../kit/api.ts';

export interface SessionEvents {
  onSession: (session: Session) => void;
  /** The coordinator does not answer, or cannot now; asked again. */
  onTrouble: (failure: Failure) => void;
  /** It will not tell us any more: the session is gone, or this tab is no member. Not asked again. */
  onGone: (failure: Failure) => void;
}

const waits_ms = [500, 1_000, 2_000, 4_000, 8_000] as const;
/** An answer that is not newer comes after the coordinator's 25 s; one that comes at once must not make us spin. */
const unchanged_wait_ms = 1_000;

/** Resolves after `ms`, or at once when `signal` aborts. */
const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const stop = () => resolve(cancel());
    const cancel = clock.after(ms, () => resolve(signal.removeEventListener('abort', stop)));
    signal.addEventListener('abort', stop, { once: true });
  });

/** Asks for the session: at once, or with a version as soon as there is a newer one. */
export type AskSession = (after: number | undefined, signal: AbortSignal) => Promise<Answer<Session>>;

/** Follows a session by long poll until it has ended, is gone, or `signal` aborts. */
export const watchSession = async (
  ask: AskSession,
  events: SessionEvents,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  let version: number | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const asked = clock.monotonic();
    const answer = await ask(version, signal);
    if (signal.aborted) return;
    if (isFailure(answer)) {
      // Who has followed a session does not take a page of somebody's proxy for its end.
      const strange = answer.failed === 'unreadable' && version !== undefined;
      if (!canRetry(answer) && !strange) return events.onGone(answer);
      events.onTrouble(answer);
      await pause(clock, waits_ms[Math.min(failures++, waits_ms.length - 1)] ?? 0, signal);
      continue;
    }
    failures = 0;
    events.onSession(answer);
    if (answer.phase === 'ended') return;
    if (answer.version === version && clock.monotonic() - asked < unchanged_wait_ms) {
      await pause(clock, unchanged_wait_ms, signal);
    }
    version = answer.version;
  }
};
