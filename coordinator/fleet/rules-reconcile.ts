import type { SessionEvent } from '../sessions/rules-lifecycle.ts';
import { isLive, type Session } from '../sessions/rules-session.ts';

/** One line of an agent's inventory: a session that runs on the host. */
export interface Running {
  readonly session_id: string;
  readonly generation: number;
  readonly state: 'starting' | 'ready' | 'restarting';
}

export interface Reconciled {
  /** What the host is to do with each line of its inventory. */
  readonly answers: readonly {
    readonly session_id: string;
    readonly generation: number;
    readonly action: 'keep' | 'stop';
  }[];
  /** Sessions to stop that hold no seat in the coordinator's books. */
  readonly leftovers: readonly string[];
  /** What happens to sessions of the host because of it. */
  readonly events: readonly { readonly id: string; readonly event: SessionEvent }[];
  /** Sessions that the inventory lacks and that may run on another machine, with until when that may be. */
  readonly doubted: ReadonlyMap<string, number>;
}

/**
 * Compares what a host says it runs with what it should run. What both know is kept; what the coordinator does not
 * want (ended, of another host, of another generation, unknown) is stopped; what the host lacks is started if it never
 * confirmed the order, and has ended otherwise; but nothing at all happens to it before the instant that `doubtedUntil` gives.
 */
export const reconcile = (
  host: string,
  inventory: readonly Running[],
  sessions: Iterable<Session>,
  now: number,
  doubtedUntil: (session_id: string) => number = () => now,
): Reconciled => {
  const own = new Map([...sessions].filter((one) => one.host === host).map((one) => [one.id, one]));
  const known = (line: Running): Session | undefined => {
    const session = own.get(line.session_id);
    return session?.generation === line.generation ? session : undefined;
  };
  const wanted = (line: Running): boolean => {
    const session = known(line);
    return session !== undefined && isLive(session);
  };
  const running = new Map(inventory.filter((line) => known(line)).map((line) => [line.session_id, line]));
  const doubted = new Map(
    [...own.keys()]
      .filter((id) => !running.has(id) && doubtedUntil(id) > now)
      .map((id) => [id, doubtedUntil(id)]),
  );

  const eventOf = (session: Session): SessionEvent | undefined => {
    const line = running.get(session.id);
    if (doubted.has(session.id)) return undefined;
    if (line === undefined) return { type: 'host_lacks' };
    return isLive(session) ? { type: 'host_has', state: line.state } : undefined;
  };
  return {
    doubted,
    answers: inventory.map((line) => ({
      session_id: line.session_id,
      generation: line.generation,
      action: wanted(line) ? 'keep' : 'stop',
    })),
    leftovers: inventory
      .filter((line) => known(line)?.seat_held !== true)
      .map(({ session_id }) => session_id),
    events: [...own.values()].flatMap((session) => {
      const event = eventOf(session);
      return event === undefined ? [] : [{ id: session.id, event }];
    }),
  };
};
