import { systemClock } from '../../shared/clock.ts';
import { isRefusal } from '../../shared/errors.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { AGENT_LINK_VERSION } from '../../shared/protocol/agent-link.ts';
import { hostHello, hostReports } from '../fleet/fleet.ts';
import { openWorld } from '../open.ts';
import { happen, type Link, type World } from '../sessions/live.ts';
import { createSession } from '../sessions/starts.ts';
import type { Database } from '../store/database.ts';
import { memoryBus } from './bus.ts';
import { connectTo } from './mysql.ts';
import { inParallel, percentiles } from './percentiles.ts';
import { entry, keyOf, memoryStore } from './store.ts';

const hosts = 32;
const seats = 8;
/** Sessions that are made before all of them end again: half of the seats. */
const batch = (hosts * seats) / 2;

export interface Rate {
  readonly at_once: number;
  readonly made: number;
  readonly per_second: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly most_ms: number;
}

const rateOf = (at_once: number, took_ms: readonly number[], all_ms: number): Rate => ({
  at_once,
  made: took_ms.length,
  per_second: Math.round((took_ms.length * 1_000) / all_ms),
  ...percentiles(took_ms),
});

/** A world with hosts that are connected by nothing: they confirm an end and never launch. */
const connectedWorld = async (db: Database): Promise<World> => {
  const names = Array.from({ length: hosts }, (_, at) => `host-${String(at).padStart(2, '0')}`);
  // Long codes: those of ended sessions stay in quarantine.
  const store = memoryStore(
    names.map((name) => entry(name, 'garden')),
    { code_digits: 8 },
  );
  const world = await openWorld({
    db,
    store,
    files: store,
    clock: systemClock,
    bus: memoryBus(systemClock),
    ids: systemIds,
    log: silentLog,
  });
  for (const name of names) {
    const link: Link = {
      epoch: 1,
      send(order) {
        if (!('verb' in order) || order.verb !== 'END_SESSION') return;
        const { session_id, generation, reason } = order;
        queueMicrotask(() =>
          hostReports(world, name, link, { session_id, generation }, { type: 'host_ended', reason }),
        );
      },
      resumes: true,
      answers: false,
      drains: false,
      openChannel: () => ({ data: () => {}, close: () => {} }),
      close: () => {},
    };
    const apps = ['garden'];
    const hello = {
      verb: 'HELLO',
      protocol: AGENT_LINK_VERSION,
      server_name: name,
      seats,
      apps,
      sessions: [],
    } as const;
    const refused = hostHello(world, link, keyOf(name), { ...hello, sessions: [] }, () => {});
    if (refused !== undefined) throw new Error(refused.refused);
  }
  return world;
};

/** Ends all sessions and waits until their seats are free in the database too; then the world has forgotten them. */
const endAll = async (world: World): Promise<void> => {
  const all = [...world.sessions.keys()];
  for (const id of all) happen(world, id, { type: 'end', reason: 'owner_ended' });
  await Promise.resolve();
  await Promise.all(all.map((id) => world.saver.saved(id)));
  const held = await world.db.read(({ seat_slots }) => seat_slots.count({}));
  if (held > 0) throw new Error(`${held} slots are still held`);
  for (const id of all) world.sessions.drop(id);
};

/** Creates sessions, so many at a time; only creations are timed, not the ends between them. */
export const benchCreations = async (
  db: Database,
  { sessions, at_once }: { readonly sessions: number; readonly at_once: number },
): Promise<Rate> => {
  const world = await connectedWorld(db);
  const took: number[] = [];
  let all = 0;
  const create = async () => {
    const made = await createSession(world, { app: 'garden' });
    if (isRefusal(made)) throw new Error(`${made.refused} ${made.detail}`);
  };
  // The first batch opens connections and prepares statements.
  for (let made = -batch; made < sessions; made += batch) {
    const { took_ms, all_ms } = await inParallel(
      Math.min(batch, made < 0 ? batch : sessions - made),
      at_once,
      create,
    );
    await endAll(world);
    if (made < 0) continue;
    took.push(...took_ms);
    all += all_ms;
  }
  await world.saver.stop();
  return rateOf(at_once, took, all);
};

/** Inserts of one row of 64 characters, each committed by itself over a connection of its own: the least that a write costs. */
export const benchRawRows = async (
  url: string,
  { rows, at_once }: { readonly rows: number; readonly at_once: number },
): Promise<Rate> => {
  const connections = await Promise.all(Array.from({ length: at_once }, () => connectTo(url)));
  try {
    await connections[0]?.query(
      'CREATE TABLE IF NOT EXISTS raw_rows (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(64) NOT NULL)',
    );
    for (const connection of connections) await connection.query('SET SESSION autocommit = 0');
    const free = [...connections];
    const insert = async () => {
      const connection = free.pop();
      if (connection === undefined) throw new Error('no connection is free');
      await connection.execute('INSERT INTO raw_rows (text) VALUES (?)', ['x'.repeat(64)]);
      await connection.commit();
      free.push(connection);
    };
    await inParallel(at_once * 10, at_once, insert);
    const { took_ms, all_ms } = await inParallel(rows, at_once, insert);
    return rateOf(at_once, took_ms, all_ms);
  } finally {
    await Promise.all(connections.map((connection) => connection.end()));
  }
};
