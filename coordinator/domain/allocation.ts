import { type Refusal, refuse } from '../../shared/errors.ts';
import { type Host, isConnected } from './host.ts';
import type { Session } from './session.ts';

/** How many seats each host has taken: sessions that hold one, and leftovers it is still stopping. */
export const seatsTaken = (
  hosts: Iterable<Host>,
  sessions: Iterable<Session>,
  now: number,
): ReadonlyMap<string, number> => {
  const taken = new Map<string, number>();
  for (const { name, stopping } of hosts) {
    taken.set(name, [...stopping.values()].filter((until) => until > now).length);
  }
  for (const { host, seat_held } of sessions) {
    if (seat_held) taken.set(host, (taken.get(host) ?? 0) + 1);
  }
  return taken;
};

/** The hosts where the app can be started: the catalogue lists them for it, they are connected, their agent has it. */
export const hostsOf = (
  app: string,
  listed: readonly string[],
  hosts: ReadonlyMap<string, Host>,
): readonly Host[] =>
  listed.flatMap((name) => {
    const host = hosts.get(name);
    return host !== undefined && isConnected(host) && host.apps.includes(app) ? [host] : [];
  });

/** Least loaded first; among equals the one with more free seats, then by name so that the choice is repeatable. */
const byLoad =
  (taken: ReadonlyMap<string, number>) =>
  (a: Host, b: Host): number => {
    const [used_a, used_b] = [taken.get(a.name) ?? 0, taken.get(b.name) ?? 0];
    const fuller = used_a / a.seats - used_b / b.seats;
    const roomier = b.seats - used_b - (a.seats - used_a);
    return fuller || roomier || (a.name < b.name ? -1 : 1);
  };

/** The host whose seat a new session of the app takes, or why there is none. `listed`: the catalogue's hosts for it. */
export const chooseHost = (
  app: string,
  listed: readonly string[] | undefined,
  hosts: ReadonlyMap<string, Host>,
  taken: ReadonlyMap<string, number>,
): Host | Refusal => {
  if (listed === undefined) return refuse('app_unknown', app);
  const able = hostsOf(app, listed, hosts);
  if (able.length === 0) return refuse('app_offline');
  const [best] = able.filter(({ name, seats }) => (taken.get(name) ?? 0) < seats).sort(byLoad(taken));
  return best ?? refuse('servers_busy');
};
