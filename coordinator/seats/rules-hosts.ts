import type { HostFigures } from '../../shared/protocol/agent-link.ts';
import type { SessionPhase } from '../../shared/protocol/session.ts';
import { bounds } from '../kit/limits.ts';
import { type Capacity, cardOf } from './rules-capacity.ts';

/** Instances of an app that wait, started, for a session. */
export interface Warm {
  readonly rc_name: string;
  readonly card: number;
  readonly ready: number;
}

/** A machine with an agent, as its last HELLO described it. Instants are epoch ms. */
export interface Host {
  readonly name: string;
  readonly seats: number;
  /** The apps that the agent says it can start. */
  readonly apps: readonly string[];
  readonly capacity: Capacity;
  /** On which card each session of the last HELLO runs: its seat may have belonged to another one when it began. */
  readonly placed: ReadonlyMap<string, number>;
  /** Numbers the link; what an older link says is not believed. */
  readonly epoch: number;
  /** When a host without a link is given up; null while it has one. */
  readonly lost_at: number | null;
  /** Sessions unknown here that the host was told to stop on HELLO: they occupy seats until it has, or until then. */
  readonly stopping: ReadonlyMap<string, number>;
  /**
   * Sessions that a newcomer lacks which may be a second machine, with until when that is not believed: they are those of a
   * host that is away, and hold their seats.
   */
  readonly doubted: ReadonlyMap<string, number>;
  /** What the agent said last of itself, and when it was last heard of; null before that. */
  readonly warm: readonly Warm[];
  readonly figures: HostFigures | null;
  readonly heard_at: number | null;
  /** The agent's release. */
  readonly version: string | null;
}

/** What seats know of a session: who sits where, and until when. A session is one as it stands. */
export interface Occupant {
  readonly id: string;
  readonly app: string;
  readonly host: string;
  /** Which of the host's seats, from 0. */
  readonly seat: number;
  /** The seat is taken until the host has said that every process is gone, also after the end. */
  readonly seat_held: boolean;
  readonly phase: SessionPhase;
  readonly phases: { readonly accepted?: number };
  readonly ends_at: number;
}

export const isConnected = ({ lost_at }: Host): boolean => lost_at === null;

export const hostAway = (host: Host, now: number, host_lost_ms: number): Host => ({
  ...host,
  lost_at: now + host_lost_ms,
  warm: [],
  figures: null,
});

export const isLost = ({ lost_at }: Host, now: number): boolean => lost_at !== null && lost_at <= now;

/** A host as the database knows it, before it has come. */
export const hostExpected = (name: string, capacity: Capacity): Host => ({
  name,
  seats: 0,
  apps: [],
  capacity,
  placed: new Map(),
  epoch: 0,
  lost_at: null,
  stopping: new Map(),
  doubted: new Map(),
  warm: [],
  figures: null,
  heard_at: null,
  version: null,
});

export const hostConnected = (
  hello: Pick<Host, 'name' | 'seats' | 'apps' | 'capacity' | 'placed' | 'doubted' | 'warm' | 'version'>,
  epoch: number,
  stopping: readonly string[],
  now: number,
): Host => ({
  ...hello,
  epoch,
  lost_at: null,
  stopping: new Map(stopping.map((id) => [id, now + bounds.host_stopping_ms])),
  figures: null,
  heard_at: now,
});

/** What a heartbeat tells; an older agent tells nothing. */
export const hostHeard = (
  host: Host,
  { figures = host.figures, warm = host.warm }: Partial<Pick<Host, 'figures' | 'warm'>>,
  now: number,
): Host => ({ ...host, figures, warm, heard_at: now });

/** The host has said that a session it was told to stop is gone. */
export const stopped = (host: Host, session_id: string): Host =>
  host.stopping.has(session_id)
    ? { ...host, stopping: new Map([...host.stopping].filter(([id]) => id !== session_id)) }
    : host;

/** Somebody has shown that a second machine is there: what is doubted stays so from now on for the whole time. */
export const doubtedAnew = (host: Host, now: number): Host => ({
  ...host,
  doubted: new Map([...host.doubted.keys()].map((id) => [id, now + bounds.host_doubt_ms])),
});

/** The sessions whose absence is believed from now on, and the host without them. Of a host that is away nothing is. */
export const believed = (
  host: Host,
  now: number,
): { readonly host: Host; readonly gone: readonly string[] } => {
  const gone = isConnected(host)
    ? [...host.doubted].filter(([, until]) => until <= now).map(([id]) => id)
    : [];
  if (gone.length === 0) return { host, gone };
  return { host: { ...host, doubted: new Map([...host.doubted].filter(([, until]) => until > now)) }, gone };
};

/** The number of the card on which the session runs; undefined on a seat that the host has no more. */
export const cardOfSession = (
  { placed, capacity }: Pick<Host, 'placed' | 'capacity'>,
  { id, seat }: Pick<Occupant, 'id' | 'seat'>,
): number | undefined => placed.get(id) ?? cardOf(capacity, seat)?.index;
