import type { Session } from '../../../shared/protocol/http.ts';
import type { SessionPhase } from '../../../shared/protocol/session.ts';

/** What a visitor waits for, in order. Each step ends when the session reaches a phase. */
const steps = [
  { name: 'reserve', from: 'accepted', until: 'launching' },
  { name: 'launch', from: 'launching', until: 'app_started' },
  { name: 'load', from: 'app_started', until: 'ready' },
  { name: 'connect', from: 'ready', until: undefined },
] as const;

export type StepName = (typeof steps)[number]['name'];

export interface Step {
  name: StepName;
  state: 'done' | 'now' | 'next';
  /** How long a finished step took, by the coordinator's clock. */
  took_ms?: number;
}

const order: readonly SessionPhase[] = ['assigned', 'launching', 'app_started', 'ready'];

/** The steps of a start; while the app restarts there is no list, because nothing of it is known again. */
export const stepsOf = ({ phase, phases }: Pick<Session, 'phase' | 'phases'>): Step[] => {
  const reached = order.indexOf(phase);
  const current = steps.findIndex(({ until }) => until === undefined || order.indexOf(until) > reached);
  return steps.map(({ name, from, until }, index) => {
    if (index > current) return { name, state: 'next' };
    if (index === current) return { name, state: 'now' };
    const began = phases[from];
    const ended = until === undefined ? undefined : phases[until];
    return began === undefined || ended === undefined
      ? { name, state: 'done' }
      : { name, state: 'done', took_ms: Math.max(0, ended - began) };
  });
};

/**
 * Milliseconds since the request was accepted. The coordinator's instants are compared only with each other: a visitor's
 * clock may be wrong. `since_ms` is the time since this snapshot arrived.
 */
export const waited = ({ phases }: Pick<Session, 'phases'>, since_ms: number): number => {
  const instants = Object.values(phases);
  const began = phases.accepted ?? Math.min(...instants);
  return instants.length === 0 ? since_ms : Math.max(...instants) - began + since_ms;
};

/** "0.4", "12": tenths while they can be read. */
export const secondsText = (ms: number): string => (ms / 1000).toFixed(ms < 9_950 ? 1 : 0);
