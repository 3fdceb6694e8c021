import { counted } from '../../shared/counted.ts';
import { type Refusal, refuse } from '../../shared/errors.ts';
import type { CatalogueHostView, ChangeHost, CreateHost, HostKey } from '../../shared/protocol/catalogue.ts';
import { sessionPhases } from '../../shared/protocol/session.ts';
import { newHost } from '../catalogue/catalogue.ts';
import { checkSource } from '../catalogue/rules.ts';
import { audit } from '../kit/audit.ts';
import { bounds } from '../kit/limits.ts';
import { hashOf } from '../kit/secrets.ts';
import type { Services } from '../kit/services.ts';
import { drainingCards, storedCapacity } from '../seats/hosts.ts';
import { Taken } from '../store/database.ts';
import type { HostRow, ReadTables, SessionRow, Tables } from '../store/tables.ts';
import { describeHost, type HostViewNeeds } from './view.ts';

type Parts = Pick<Services, 'db' | 'clock' | 'ids'> & HostViewNeeds;

const live = sessionPhases.filter((phase) => phase !== 'ended');

const appsOf = async ({ host_apps }: Pick<ReadTables, 'host_apps'>, host: string): Promise<string[]> =>
  (await host_apps.find({ host }, { order: ['app'] })).map(({ app }) => app);

const running = ({ sessions }: Pick<ReadTables, 'sessions'>, host: string): Promise<SessionRow[]> =>
  sessions.find({ host, phase: { in: live } });

export const listCatalogueHosts = (parts: Parts): Promise<CatalogueHostView[]> =>
  parts.db.read(async ({ hosts, host_apps, sessions }) => {
    const apps = Map.groupBy(await host_apps.find({}), ({ host }) => host);
    const busy = Map.groupBy(await sessions.find({ phase: { in: live } }), ({ host }) => host);
    return (await hosts.find({})).map((row) =>
      describeHost(parts, row, {
        apps: (apps.get(row.name) ?? []).map(({ app }) => app),
        sessions: busy.get(row.name) ?? [],
      }),
    );
  });

/** The host as operators see it; host_unknown. */
export const showCatalogueHost = (parts: Parts, name: string): Promise<CatalogueHostView | Refusal> =>
  parts.db.read(async (tables) => {
    const row = await tables.hosts.get({ name });
    if (row === undefined) return refuse('host_unknown');
    const apps = await appsOf(tables, name);
    return describeHost(parts, row, { apps, sessions: await running(tables, name) });
  });

/** Locks apps, after the host, so that none of them is removed meanwhile; app_unknown. */
const lockApps = async (
  { apps }: Pick<Tables, 'apps'>,
  names: readonly string[],
): Promise<Refusal | undefined> => {
  for (const name of names) {
    if ((await apps.lock({ name })) === undefined) return refuse('app_unknown', name);
  }
  return undefined;
};

/** Adds a host, with the key that its agent is to present; name_taken, app_unknown or too_many. */
export const createHost = async (
  parts: Parts,
  actor: string,
  wanted: CreateHost,
): Promise<HostKey | Refusal> => {
  const made = await addHost(parts, actor, wanted);
  if ('refused' in made) return made;
  return { ...describeHost(parts, made.row, { apps: made.apps, sessions: [] }), key: made.key };
};

/** `createHost` for who needs no view of it. */
export const addHost = async (
  parts: Pick<Services, 'db' | 'clock' | 'ids'>,
  actor: string,
  { name, apps }: CreateHost,
): Promise<{ row: HostRow; apps: string[]; key: string } | Refusal> => {
  const key = parts.ids.secret();
  const wanted = apps.toSorted();
  const said = { name, key_hash: hashOf(key), ip: '', port: 0, source: 'rest' } as const;
  const row = newHost(said, parts.clock.now());
  try {
    return await parts.db.transact(async (tables) => {
      if ((await tables.hosts.count({})) >= bounds.hosts) return refuse('too_many', 'hosts');
      const unknown = await lockApps(tables, wanted);
      if (unknown !== undefined) return unknown;
      await tables.hosts.insert(row);
      await tables.host_apps.insert(...wanted.map((app) => ({ host: name, app })));
      await audit(parts, tables, actor, 'host.created', name, { apps });
      return { row, apps: wanted, key };
    });
  } catch (error) {
    if (error instanceof Taken) return refuse('name_taken');
    throw error;
  }
};

/** Locks the host at the version that was read, or at any; host_unknown or version_conflict. */
const lockHost = async (
  { hosts }: Pick<Tables, 'hosts'>,
  name: string,
  version?: number,
): Promise<HostRow | Refusal> => {
  const row = await hosts.lock({ name });
  if (row === undefined) return refuse('host_unknown');
  return version === undefined || row.version === version ? row : refuse('version_conflict');
};

/** Refuses cards that the host is not known to have and that were not draining before. */
const checkCards = (row: HostRow, wanted: readonly number[] | undefined): Refusal | undefined => {
  if (wanted === undefined || row.capacity === null) return undefined;
  const known = [...storedCapacity(row).cards.map(({ index }) => index), ...drainingCards(row)];
  const strange = wanted.filter((card) => !known.includes(card));
  return strange.length === 0 ? undefined : refuse('malformed', `draining_cards: no card ${strange[0]}`);
};

/** Changes what is given; host_unknown, version_conflict, managed_by_file, malformed or app_unknown. */
export const changeHost = (
  parts: Parts,
  actor: string,
  name: string,
  version: number,
  given: ChangeHost,
): Promise<CatalogueHostView | Refusal> => {
  const wanted = given.apps?.toSorted();
  return parts.db.transact(async (tables) => {
    const row = await lockHost(tables, name, version);
    if ('refused' in row) return row;
    const refused =
      checkSource(row.source, Object.keys(given)) ??
      checkCards(row, given.draining_cards) ??
      (wanted === undefined ? undefined : await lockApps(tables, wanted));
    if (refused !== undefined) return refused;
    if (wanted !== undefined) {
      await tables.host_apps.remove({ host: name });
      await tables.host_apps.insert(...wanted.map((app) => ({ host: name, app })));
    }
    const draining = given.draining ?? row.draining;
    // From here on it is the operator's word, which the host cannot take back.
    const drained_by_host_at = given.draining === undefined ? row.drained_by_host_at : null;
    const draining_cards = JSON.stringify(
      given.draining_cards?.toSorted((a, b) => a - b) ?? drainingCards(row),
    );
    // Also without a change of the row itself: its version counts those of its apps.
    await tables.hosts.update({ name }, { draining, draining_cards, drained_by_host_at });
    await audit(parts, tables, actor, 'host.changed', name, given);
    const changed = { ...row, draining, draining_cards, drained_by_host_at, version: version + 1 };
    const apps = wanted ?? (await appsOf(tables, name));
    return describeHost(parts, changed, { apps, sessions: await running(tables, name) });
  });
};

/** A new key in place of the one before, which opens nothing from now on; host_unknown or managed_by_file. */
export const renewHostKey = (parts: Parts, actor: string, name: string): Promise<HostKey | Refusal> => {
  const key = parts.ids.secret();
  return parts.db.transact(async (tables) => {
    const row = await lockHost(tables, name);
    if ('refused' in row) return row;
    const refused = checkSource(row.source, ['key']);
    if (refused !== undefined) return refused;
    const said = { key_hash: hashOf(key), quarantined_at: null };
    await tables.hosts.update({ name }, said);
    await audit(parts, tables, actor, 'host.key', name);
    const changed = { ...row, ...said, version: row.version + 1 };
    const apps = await appsOf(tables, name);
    return { ...describeHost(parts, changed, { apps, sessions: await running(tables, name) }), key };
  });
};

/** Removes a host on which nothing is booked and nothing runs; host_unknown, version_conflict, managed_by_file or in_use. */
export const removeHost = (
  parts: Parts,
  actor: string,
  name: string,
  version: number,
): Promise<Refusal | undefined> =>
  parts.db.transact(async (tables) => {
    const row = await lockHost(tables, name, version);
    if ('refused' in row) return row;
    const refused = checkSource(row.source, ['name']);
    if (refused !== undefined) return refused;
    const booked = await tables.bookings.count({ host: name, state: { in: ['held', 'open'] } });
    const runs = await tables.sessions.count({ host: name, phase: { in: live } });
    if (booked + runs > 0) {
      return refuse('in_use', `${counted(booked, 'booking')}, ${counted(runs, 'session')}`);
    }
    await tables.host_apps.remove({ host: name });
    await tables.enrolments.remove({ host: name });
    await tables.links.remove({ host: name });
    await tables.hosts.remove({ name });
    await audit(parts, tables, actor, 'host.deleted', name);
    return undefined;
  });
