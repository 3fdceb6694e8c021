import type { ServerEntry } from '../../shared/protocol/client-verbs.ts';
import type { AppRow, FileEntry, HostRow, Tables } from '../store/tables.ts';
import type { CatalogueServices } from './data-directory.ts';
import type { FileApp, FileCatalogue, Texts } from './file-catalogue.ts';
import { takesNew } from './rules.ts';

/** An app as visitors find it. */
export interface App extends Omit<AppRow, 'title' | 'description'> {
  readonly title: Texts;
  readonly description: Texts;
  /** Names of the hosts that have it, draining and quarantined ones left out. */
  readonly hosts: readonly string[];
}

/** What may be started where, at one moment. */
export interface Catalogue {
  /** As GET_SERVERS lists them: each host with each of its apps. */
  readonly servers: readonly ServerEntry[];
  readonly apps: ReadonlyMap<string, App>;
  readonly hosts: ReadonlyMap<string, HostRow>;
}

/** `[{ en: "..." }, { ru: "..." }]`, as the first design writes texts. */
const listed = (texts: Texts): Record<string, string>[] =>
  Object.entries(texts).map(([language, text]) => ({ [language]: text }));

const entryOf = (host: HostRow, app: App): ServerEntry => ({
  server_name: host.name,
  ip: host.ip,
  port: String(host.port),
  rc_info: {
    rc_name: app.name,
    info: {
      ...(Object.keys(app.title).length === 0 ? {} : { title: listed(app.title) }),
      description: listed(app.description),
      ...(app.picture === null ? {} : { picture: app.picture }),
    },
  },
});

const mayTake = (host: HostRow | undefined): boolean => host !== undefined && takesNew(host);

/** The catalogue as the database holds it now, in the order of servers.json as far as that goes. Rejects with Unavailable. */
export const readCatalogue = ({ db, files }: Pick<CatalogueServices, 'db' | 'files'>): Promise<Catalogue> =>
  db.read(async (tables) => {
    const [rows, machines, pairs] = [
      await tables.apps.find({}),
      await tables.hosts.find({}),
      await tables.host_apps.find({}),
    ];
    const hosts = new Map(machines.map((row) => [row.name, row]));
    const apps = new Map(
      rows.map((row): [string, App] => [
        row.name,
        {
          ...row,
          title: JSON.parse(row.title),
          description: JSON.parse(row.description),
          hosts: pairs
            .filter(({ app, host }) => app === row.name && mayTake(hosts.get(host)))
            .map(({ host }) => host),
        },
      ]),
    );
    const { servers: first, hosts: ofFile } = files.servers();
    const others = pairs.flatMap(({ host, app }) => {
      const [machine, entry] = [hosts.get(host), apps.get(app)];
      return machine === undefined || entry === undefined || ofFile.has(host)
        ? []
        : [entryOf(machine, entry)];
    });
    return { servers: [...first, ...others], apps, hosts };
  });

/** What an app has where neither servers.json nor anybody else has said so. */
export const appDefaults = {
  default_minutes: 60,
  max_minutes: 240,
  idle_seconds: 600,
  who_may_start: 'anyone',
  lobby: false,
  enabled: true,
  quota_sessions: null,
  quota_minutes: null,
} as const;

/** A host that nobody has heard of yet. */
export const newHost = (
  said: Pick<HostRow, 'name' | 'key_hash' | 'ip' | 'port' | 'source'>,
  now: number,
): HostRow => ({
  ...said,
  seats: 0,
  capacity: null,
  draining: false,
  draining_cards: '[]',
  drained_by_host_at: null,
  held_by: null,
  quarantined_at: null,
  created_at: now,
  version: 1,
});

/** The row as it is says the same already. */
const says = (row: AppRow | HostRow, said: object): boolean =>
  Object.entries(said).every(([column, value]) => Reflect.get(row, column) === value);

const putApp = async ({ apps }: Tables, { name, title, description, picture, settings }: FileApp) => {
  const said = {
    title: JSON.stringify(title),
    description: JSON.stringify(description),
    picture: picture ?? null,
    ...settings,
    source: 'file' as const,
  };
  const row = await apps.lock({ name });
  if (row === undefined) await apps.insert({ ...appDefaults, ...said, name, version: 1 });
  else if (!says(row, said)) await apps.update({ name }, said);
};

/** A host with one of its apps, as one text. */
const pairOf = ({ host, app }: { readonly host: string; readonly app: string }): string => `${host}\n${app}`;

/** What a file listed before, and what all files together list now. */
interface Entries {
  readonly before: readonly FileEntry[];
  readonly listed: readonly FileEntry[];
}

/** Notes what this file lists. */
const noteEntries = async (
  { file_entries }: Tables,
  file: string,
  apps: Iterable<FileApp>,
): Promise<Entries> => {
  const wanted = [...apps].flatMap(({ name: app, hosts }) => hosts.map((host) => ({ file, host, app })));
  const [all, wantedPairs] = [await file_entries.find({}), new Set(wanted.map(pairOf))];
  const before = all.filter((entry) => entry.file === file);
  const known = new Set(before.map(pairOf));
  for (const entry of before) if (!wantedPairs.has(pairOf(entry))) await file_entries.remove(entry);
  for (const entry of wanted) if (!known.has(pairOf(entry))) await file_entries.insert(entry);
  return { before, listed: [...all.filter((entry) => entry.file !== file), ...wanted] };
};

/** Says of each host of the file where it is and what its agent presents. */
const putHosts = async ({ hosts }: Tables, listed: FileCatalogue['hosts'], now: number): Promise<void> => {
  for (const [name, { ip, port, key_hash }] of [...listed].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const said = { ip, port, key_hash, source: 'file' as const };
    const row = await hosts.lock({ name });
    if (row === undefined) await hosts.insert(newHost({ ...said, name }, now));
    else if (!says(row, said)) {
      // A new key is what ends a quarantine.
      const released = row.key_hash === key_hash ? {} : { quarantined_at: null };
      await hosts.update({ name }, { ...said, ...released });
    }
  }
};

/**
 * Removes hosts and apps that stood in this file and stand in none. Of what was stored before entries were noted, a coordinator
 * that is alone removes what is in nobody's way.
 */
const removeVanished = async (tables: Tables, file: string, { listed, before }: Entries): Promise<void> => {
  const alone = listed.every((entry) => entry.file === file);
  const isListed = (kind: 'host' | 'app', name: string) => listed.some((entry) => entry[kind] === name);
  const wasOurs = (kind: 'host' | 'app', name: string) => before.some((entry) => entry[kind] === name);
  for (const { name, source, held_by } of await tables.hosts.find({})) {
    if (source !== 'file' || isListed('host', name)) continue;
    if (!wasOurs('host', name) && !(alone && (held_by === null || held_by === file))) continue;
    await tables.host_apps.remove({ host: name });
    await tables.links.remove({ host: name });
    await tables.hosts.remove({ name });
  }
  for (const { name, source } of await tables.apps.find({})) {
    if (source !== 'file' || isListed('app', name)) continue;
    if (!wasOurs('app', name) && !(alone && (await tables.host_apps.count({ app: name })) === 0)) continue;
    await tables.host_apps.remove({ app: name });
    await tables.apps.remove({ name });
  }
};

/**
 * Makes the database say what servers.json says: its hosts and apps are there, and those that stood in it and no longer stand in
 * that of any coordinator are not. What people set over REST and the file does not mention stays.
 */
export const takeOverFile = ({ db, store, files, clock }: CatalogueServices): Promise<void> =>
  db.transact(async (tables) => {
    const { apps, hosts } = files.servers();
    const file = store.configuration().coordinator_name;
    await putHosts(tables, hosts, clock.now());
    for (const app of apps.values()) await putApp(tables, app);
    const { listed, before } = await noteEntries(tables, file, apps.values());
    const pairs = new Set(listed.map(pairOf));
    for (const host of hosts.keys()) {
      const has = new Set((await tables.host_apps.find({ host })).map(({ app }) => app));
      for (const app of has)
        if (!pairs.has(pairOf({ host, app }))) await tables.host_apps.remove({ host, app });
      for (const { name: app, hosts } of apps.values())
        if (hosts.includes(host) && !has.has(app)) await tables.host_apps.insert({ host, app });
    }
    await removeVanished(tables, file, { listed, before });
  });
