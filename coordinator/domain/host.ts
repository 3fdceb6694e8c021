import { bounds } from '../limits.ts';
import type { Rules } from './rules.ts';

/** A machine with an agent, as its last HELLO described it. Instants are epoch ms. */
export interface Host {
  readonly name: string;
  readonly seats: number;
  /** The apps that the agent says it can start. */
  readonly apps: readonly string[];
  /** Numbers the link; what an older link says is not believed. */
  readonly epoch: number;
  /** When a host without a link is given up; null while it has one. */
  readonly lost_at: number | null;
  /** Sessions unknown here that the host was told to stop on HELLO: they occupy seats until it has, or until then. */
  readonly stopping: ReadonlyMap<string, number>;
}

/** Whether it gets new sessions and bookings. What a host that does not is booked for goes elsewhere. */
export const takesNew = (host: {
  readonly draining: boolean;
  readonly quarantined_at: number | null;
}): boolean => !host.draining && host.quarantined_at === null;

export const isConnected = ({ lost_at }: Host): boolean => lost_at === null;

export const hostAway = (host: Host, now: number, rules: Rules): Host => ({
  ...host,
  lost_at: now + rules.host_lost_ms,
});

export const isLost = ({ lost_at }: Host, now: number): boolean => lost_at !== null && lost_at <= now;

export const hostConnected = (
  hello: { readonly name: string; readonly seats: number; readonly apps: readonly string[] },
  epoch: number,
  stopping: readonly string[],
  now: number,
): Host => ({
  ...hello,
  epoch,
  lost_at: null,
  stopping: new Map(stopping.map((id) => [id, now + bounds.host_stopping_ms])),
});

/** The host has said that a session it was told to stop is gone. */
export const stopped = (host: Host, session_id: string): Host =>
  host.stopping.has(session_id)
    ? { ...host, stopping: new Map([...host.stopping].filter(([id]) => id !== session_id)) }
    : host;
