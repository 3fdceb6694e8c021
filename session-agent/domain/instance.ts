import type { EndReason } from '../../shared/protocol/session.ts';

/** So many restarts within a sliding window; one more and the instance ends. */
export interface RestartPolicy {
  times: number;
  window_ms: number;
}

/** What the app's configuration decides about an instance. */
export interface Plan {
  /** From the app's start, or restart, until its streamer has registered. */
  start_timeout_ms: number;
  /** How long the streamer may be gone while signalling answers, before the app counts as hung. */
  hung_ms: number;
  restart: RestartPolicy;
}

export interface Ending {
  reason: EndReason;
  /** For the operator's log: exit code, last output lines. */
  detail?: string | undefined;
}

/**
 * `signalling` and `app`: both programs are starting, and signalling is not up yet, or is. `missing`: the streamer has gone
 * though signalling answers. `reconnecting`: signalling is new, or this agent is, and the app that runs has to register.
 * `restarting`: the app is started again. `stopping` holds the seat until every process is gone.
 */
export type Phase =
  | 'signalling'
  | 'app'
  | 'ready'
  | 'missing'
  | 'reconnecting'
  | 'restarting'
  | 'stopping'
  | 'ended';

/** One app process with its signalling process, supervised. Instants are the monotonic clock's. */
export interface Supervised {
  readonly plan: Plan;
  readonly phase: Phase;
  readonly signalling_failures: readonly number[];
  readonly app_restarts: readonly number[];
  /** In `reconnecting`: signalling is not up yet, so the app cannot register. */
  readonly awaits_signalling: boolean;
  readonly ending?: Ending;
}

export type InstanceEvent =
  | { type: 'signalling_up' }
  | { type: 'signalling_down'; detail: string }
  /** No free ports are left in the configured range. */
  | { type: 'no_port'; detail: string }
  | { type: 'app_up' }
  /** The app's process could not be started at all. */
  | { type: 'app_missing'; detail: string }
  | { type: 'app_down'; detail: string }
  /** The app takes more memory than it may. */
  | { type: 'app_too_big'; detail: string }
  /** The streamer appeared in signalling's list. */
  | { type: 'registered' }
  /** The streamer vanished from the list; signalling itself answers. */
  | { type: 'unregistered' }
  /** The armed deadline has passed. */
  | { type: 'late'; detail: string }
  | { type: 'end'; ending: Ending }
  /** Every process of the instance is gone. */
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
  instance: Supervised;
  effects: Effect[];
}

/** What an agent that has just started knows about an instance of the agent before it. */
export interface Found {
  /** Its streamer had registered once. */
  was_ready: boolean;
  /** The app that was started last had registered: it need not boot any more. */
  app_was_ready: boolean;
  /** Restarts of its app, monotonic; future ones do not occur. */
  app_restarts: readonly number[];
  /** Whether the program was ever started. One that was and has ended is told by its own event. */
  signalling: boolean;
  app: boolean;
  /** The end that was under way. */
  ending?: Ending;
}

/** Signalling has this long to open its ports; it needs a tenth of a second, on a machine that is not overloaded. */
const SIGNALLING_START_MS = 20_000;
/** A first start tries this many sets of ports: another program may have taken one since it was found free. */
const SIGNALLING_STARTS = 3;
const SIGNALLING_RESTARTS: RestartPolicy = { times: 5, window_ms: 60_000 };
/**
 * An app that runs dials a new signalling server again within seconds. One that has not by then hangs; a frozen one has to be
 * seen within 20 s.
 */
const RECONNECT_MS = 12_000;

const within = (instants: readonly number[], window_ms: number, now: number): number[] =>
  instants.filter((instant) => now - instant < window_ms);

const stay = (instance: Supervised, ...effects: Effect[]): Step => ({ instance, effects });

const go = (instance: Supervised, phase: Phase, ...effects: Effect[]): Step => ({
  instance: { ...instance, phase },
  effects,
});

const stop = (instance: Supervised, ending: Ending): Step => ({
  instance: { ...instance, phase: 'stopping', ending },
  effects: [{ type: 'disarm' }, { type: 'stop_all' }],
});

const fresh = (plan: Plan): Supervised => ({
  plan,
  phase: 'signalling',
  signalling_failures: [],
  app_restarts: [],
  awaits_signalling: false,
});

/**
 * An instance that was just ordered, and its first effects. The app does not wait for signalling, which is up long before
 * any app has booted; an app that were faster dials again.
 */
export const begin = (plan: Plan): Step => ({
  instance: fresh(plan),
  effects: [
    { type: 'report', what: 'launching' },
    { type: 'arm', ms: SIGNALLING_START_MS },
    { type: 'start_signalling', ports: 'new' },
    { type: 'start_app' },
  ],
});

/** Goes on with what an agent that was killed has left: whatever it never came to start is started now. */
export const resume = (plan: Plan, found: Found): Step => {
  const known = { ...fresh(plan), app_restarts: found.app_restarts };
  if (found.ending !== undefined) return stop(known, found.ending);
  if (!found.signalling && !found.app) return begin(plan);
  const booted = found.app && found.app_was_ready;
  return go(
    { ...known, awaits_signalling: booted },
    booted ? 'reconnecting' : found.was_ready ? 'restarting' : 'app',
    { type: 'arm', ms: booted ? SIGNALLING_START_MS : plan.start_timeout_ms },
    ...(found.signalling ? [] : [{ type: 'start_signalling', ports: 'same' } as const]),
    ...(found.app ? [] : [{ type: 'start_app' } as const]),
  );
};

const restartReport = ({ phase }: Supervised): Effect[] =>
  phase === 'ready' || phase === 'missing' ? [{ type: 'report', what: 'restarting' }] : [];

/** The app's time to register begins; in `reconnecting` once, however often signalling's connection comes and goes. */
const signallingUp = (instance: Supervised): Step => {
  if (instance.phase === 'signalling') {
    return go(instance, 'app', { type: 'arm', ms: instance.plan.start_timeout_ms });
  }
  return instance.phase === 'reconnecting' && instance.awaits_signalling
    ? stay({ ...instance, awaits_signalling: false }, { type: 'arm', ms: RECONNECT_MS })
    : stay(instance);
};

const signallingDown = (instance: Supervised, detail: string, now: number): Step => {
  if (instance.phase === 'signalling') {
    const failed = { ...instance, signalling_failures: [...instance.signalling_failures, now] };
    return failed.signalling_failures.length < SIGNALLING_STARTS
      ? stay(failed, { type: 'start_signalling', ports: 'new' }, { type: 'start_app' })
      : stop(failed, { reason: 'signalling_failed', detail });
  }
  const recent = within(instance.signalling_failures, SIGNALLING_RESTARTS.window_ms, now);
  const failed = { ...instance, signalling_failures: [...recent, now] };
  if (recent.length >= SIGNALLING_RESTARTS.times) {
    return stop(failed, { reason: 'signalling_failed', detail });
  }
  const again: Effect = { type: 'start_signalling', ports: 'same' };
  if (instance.phase === 'app') return stay(failed, again);
  if (instance.phase === 'restarting') {
    return stay(failed, { type: 'arm', ms: instance.plan.start_timeout_ms }, again);
  }
  const waiting = { ...failed, awaits_signalling: true };
  const deadline: Effect = { type: 'arm', ms: SIGNALLING_START_MS };
  return go(waiting, 'reconnecting', ...restartReport(instance), deadline, again);
};

type AppFailure = 'app_crashed' | 'app_hung' | 'memory_limit' | 'start_timeout';

const appFailed = (instance: Supervised, reason: AppFailure, detail: string, now: number): Step => {
  if (instance.phase === 'signalling' || instance.phase === 'app') {
    return stop(instance, { reason: reason === 'app_crashed' ? 'app_exited' : reason, detail });
  }
  const { start_timeout_ms, restart } = instance.plan;
  const recent = within(instance.app_restarts, restart.window_ms, now);
  if (recent.length >= restart.times) return stop(instance, { reason, detail });
  const effects: Effect[] = [{ type: 'arm', ms: start_timeout_ms }, { type: 'start_app' }];
  const failed = { ...instance, app_restarts: [...recent, now] };
  return go(failed, 'restarting', ...restartReport(instance), ...effects);
};

const late = (instance: Supervised, detail: string, now: number): Step => {
  switch (instance.phase) {
    case 'signalling':
      return stop(instance, { reason: 'signalling_failed', detail });
    case 'app':
    case 'restarting':
      // The first start ends it; a restart that comes to nothing is one more crash.
      return appFailed(instance, 'start_timeout', detail, now);
    case 'missing':
    case 'reconnecting':
      return appFailed(instance, 'app_hung', detail, now);
    default:
      return stay(instance);
  }
};

const registered = (instance: Supervised): Step => {
  switch (instance.phase) {
    case 'app':
    case 'restarting':
    case 'reconnecting':
      return go(instance, 'ready', { type: 'disarm' }, { type: 'report', what: 'ready' });
    case 'missing':
      return go(instance, 'ready', { type: 'disarm' });
    default:
      return stay(instance);
  }
};

const running = (instance: Supervised, event: InstanceEvent, now: number): Step => {
  const { phase, plan } = instance;
  switch (event.type) {
    case 'signalling_up':
      return signallingUp(instance);
    case 'signalling_down':
      return signallingDown(instance, event.detail, now);
    case 'no_port':
      return stop(instance, { reason: 'no_port', detail: event.detail });
    case 'app_up':
      return phase === 'signalling' || phase === 'app'
        ? stay(instance, { type: 'report', what: 'app_started' })
        : stay(instance);
    case 'app_missing':
      return stop(instance, { reason: 'app_not_found', detail: event.detail });
    case 'app_down':
      return appFailed(instance, 'app_crashed', event.detail, now);
    case 'app_too_big':
      return appFailed(instance, 'memory_limit', event.detail, now);
    case 'registered':
      return registered(instance);
    case 'unregistered':
      return phase === 'ready' ? go(instance, 'missing', { type: 'arm', ms: plan.hung_ms }) : stay(instance);
    case 'late':
      return late(instance, event.detail, now);
    case 'end':
      return stop(instance, event.ending);
    case 'all_gone':
      return stay(instance);
  }
};

/**
 * What an event does to an instance. While stopping only the disappearance of the last process counts, so the first
 * reason to end is the one reported; an ended instance takes nothing.
 */
export const step = (instance: Supervised, event: InstanceEvent, now: number): Step => {
  if (instance.phase === 'ended') return stay(instance);
  if (instance.phase !== 'stopping') return running(instance, event, now);
  return event.type === 'all_gone'
    ? go(instance, 'ended', { type: 'report', what: 'ended' })
    : stay(instance);
};
