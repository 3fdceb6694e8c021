import type { EndReason } from '../../shared/protocol/session.ts';

/** So many restarts within a sliding window; one more and the session ends. */
export interface RestartPolicy {
  times: number;
  window_ms: number;
}

/** What the app's configuration decides about a session. */
export interface Plan {
  /** From the app's start, or restart, until its streamer has registered. */
  start_timeout_ms: number;
  restart: RestartPolicy;
}

export interface Ending {
  reason: EndReason;
  /** For the operator's log: exit code, last output lines. */
  detail?: string;
}

/**
 * `signalling` and `app`: both programs are starting, and signalling is not up yet, or is. `stopping` holds the seat until
 * every process is gone.
 */
export type Phase = 'signalling' | 'app' | 'ready' | 'restarting' | 'stopping' | 'ended';

/** One session on its host. Instants are the monotonic clock's. */
export interface Session {
  readonly plan: Plan;
  readonly phase: Phase;
  readonly signalling_failures: readonly number[];
  readonly app_restarts: readonly number[];
  readonly ending?: Ending;
}

export type SessionEvent =
  | { type: 'signalling_up' }
  | { type: 'signalling_down'; detail: string }
  /** No free ports are left in the configured range. */
  | { type: 'no_port'; detail: string }
  | { type: 'app_up' }
  /** The app's process could not be started at all. */
  | { type: 'app_missing'; detail: string }
  | { type: 'app_down'; detail: string }
  /** The streamer appeared in signalling's list. */
  | { type: 'registered' }
  /** The armed deadline has passed. */
  | { type: 'late'; detail: string }
  | { type: 'end'; ending: Ending }
  /** Every process of the session is gone. */
  | { type: 'all_gone' };

export type Effect =
  | { type: 'start_signalling'; ports: 'new' | 'same' }
  /** Takes the place of the app that may run. */
  | { type: 'start_app' }
  /** One deadline at a time: arming replaces the last one. */
  | { type: 'arm'; ms: number }
  | { type: 'disarm' }
  | { type: 'stop_all' }
  | { type: 'report'; what: 'launching' | 'app_started' | 'ready' | 'restarting' | 'ended' };

export interface Step {
  session: Session;
  effects: Effect[];
}

/** Signalling has this long to open its ports; it needs a tenth of a second, on a machine that is not overloaded. */
const SIGNALLING_START_MS = 20_000;
/** A first start tries this many sets of ports: another program may have taken one since it was found free. */
const SIGNALLING_STARTS = 3;
const SIGNALLING_RESTARTS: RestartPolicy = { times: 5, window_ms: 60_000 };

const within = (instants: readonly number[], window_ms: number, now: number): number[] =>
  instants.filter((instant) => now - instant < window_ms);

const stay = (session: Session, ...effects: Effect[]): Step => ({ session, effects });

const go = (session: Session, phase: Phase, ...effects: Effect[]): Step => ({
  session: { ...session, phase },
  effects,
});

const stop = (session: Session, ending: Ending): Step => ({
  session: { ...session, phase: 'stopping', ending },
  effects: [{ type: 'disarm' }, { type: 'stop_all' }],
});

/**
 * A session that was just ordered, and its first effects. The app does not wait for signalling, which is up long before
 * any app has booted; an app that were faster dials again.
 */
export const begin = (plan: Plan): Step => ({
  session: { plan, phase: 'signalling', signalling_failures: [], app_restarts: [] },
  effects: [
    { type: 'report', what: 'launching' },
    { type: 'arm', ms: SIGNALLING_START_MS },
    { type: 'start_signalling', ports: 'new' },
    { type: 'start_app' },
  ],
});

const restartReport = (session: Session): Effect[] => [
  ...(session.phase === 'ready' ? [{ type: 'report', what: 'restarting' } as const] : []),
  { type: 'arm', ms: session.plan.start_timeout_ms },
];

const signallingDown = (session: Session, detail: string, now: number): Step => {
  if (session.phase === 'signalling') {
    const failed = { ...session, signalling_failures: [...session.signalling_failures, now] };
    return failed.signalling_failures.length < SIGNALLING_STARTS
      ? stay(failed, { type: 'start_signalling', ports: 'new' }, { type: 'start_app' })
      : stop(failed, { reason: 'signalling_failed', detail });
  }
  const recent = within(session.signalling_failures, SIGNALLING_RESTARTS.window_ms, now);
  const failed = { ...session, signalling_failures: [...recent, now] };
  if (recent.length >= SIGNALLING_RESTARTS.times) {
    return stop(failed, { reason: 'signalling_failed', detail });
  }
  const again: Effect = { type: 'start_signalling', ports: 'same' };
  return session.phase === 'app'
    ? stay(failed, again)
    : go(failed, 'restarting', ...restartReport(session), again);
};

const appDown = (session: Session, detail: string, now: number): Step => {
  if (session.phase === 'signalling' || session.phase === 'app')
    return stop(session, { reason: 'app_exited', detail });
  const { times, window_ms } = session.plan.restart;
  const recent = within(session.app_restarts, window_ms, now);
  if (recent.length >= times) return stop(session, { reason: 'app_crashed', detail });
  return go({ ...session, app_restarts: [...recent, now] }, 'restarting', ...restartReport(session), {
    type: 'start_app',
  });
};

const running = (session: Session, event: SessionEvent, now: number): Step => {
  switch (event.type) {
    case 'signalling_up':
      return session.phase === 'signalling'
        ? go(session, 'app', { type: 'arm', ms: session.plan.start_timeout_ms })
        : stay(session);
    case 'signalling_down':
      return signallingDown(session, event.detail, now);
    case 'no_port':
      return stop(session, { reason: 'no_port', detail: event.detail });
    case 'app_up':
      return session.phase === 'signalling' || session.phase === 'app'
        ? stay(session, { type: 'report', what: 'app_started' })
        : stay(session);
    case 'app_missing':
      return stop(session, { reason: 'app_not_found', detail: event.detail });
    case 'app_down':
      return appDown(session, event.detail, now);
    case 'registered':
      return session.phase === 'app' || session.phase === 'restarting'
        ? go(session, 'ready', { type: 'disarm' }, { type: 'report', what: 'ready' })
        : stay(session);
    case 'late': {
      const reason = session.phase === 'signalling' ? 'signalling_failed' : 'start_timeout';
      return session.phase === 'ready' ? stay(session) : stop(session, { reason, detail: event.detail });
    }
    case 'end':
      return stop(session, event.ending);
    case 'all_gone':
      return stay(session);
  }
};

/**
 * What an event does to a session. While stopping only the disappearance of the last process counts, so the first
 * reason to end is the one reported; an ended session takes nothing.
 */
export const step = (session: Session, event: SessionEvent, now: number): Step => {
  if (session.phase === 'ended') return stay(session);
  if (session.phase !== 'stopping') return running(session, event, now);
  return event.type === 'all_gone' ? go(session, 'ended', { type: 'report', what: 'ended' }) : stay(session);
};
