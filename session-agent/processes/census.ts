import type { Cancel, Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { allPids, isLive, type Stat, statOf } from './stat.ts';

const LOOK_MS = 1_000;

/** The live processes of the machine at one look. */
export interface Census {
  all: Map<number, Stat>;
  /** By the number of their parent. */
  children: Map<number, number[]>;
}

type Look = (census: Census) => void;

/** Reads /proc once. Throws when it cannot be listed. */
export const takeCensus = (): Census => {
  const all = new Map<number, Stat>();
  for (const pid of allPids()) {
    const stat = statOf(pid);
    if (isLive(stat)) all.set(pid, stat);
  }
  return { all, children: Map.groupBy(all.keys(), (pid) => all.get(pid)?.parent ?? 0) };
};

/** Those who look by one clock share its looks. */
const lookers = new WeakMap<Clock, { looks: Set<Look>; cancel: Cancel }>();

/** Looks now. What cannot be read costs a word in the log and never the agent: the next look makes up for most of it. */
export const lookOnce = (looks: Iterable<Look>, log: Log): void => {
  try {
    const census = takeCensus();
    for (const look of looks) look(census);
  } catch (error) {
    log.warn({ error }, 'the processes of this machine could not be looked at');
  }
};

const lookEvery = (clock: Clock, log: Log): { looks: Set<Look>; cancel: Cancel } => {
  const looks = new Set<Look>();
  return { looks, cancel: clock.every(LOOK_MS, () => lookOnce(looks, log)) };
};

/** Calls `look` every second until cancelled. However many look, /proc is read once; when nobody does, not at all. */
export const onCensus = (clock: Clock, log: Log, look: Look): Cancel => {
  const shared = lookers.get(clock) ?? lookEvery(clock, log);
  lookers.set(clock, shared);
  shared.looks.add(look);
  return () => {
    shared.looks.delete(look);
    if (shared.looks.size > 0 || lookers.get(clock) !== shared) return;
    shared.cancel();
    lookers.delete(clock);
  };
};
