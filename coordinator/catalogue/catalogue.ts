import type { ServerEntry } from '../../shared/protocol/client-verbs.ts';
import type { Services } from '../kit/services.ts';
import { takesNew } from '../seats/rules-hosts.ts';
import type { AppRow, HostRow, Tables } from '../store/tables.ts';
import type { FileApp, Texts } from './file-catalogue.ts';

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

export const emptyCatalogue: Catalogue = { servers: [], apps: new Map(), hosts: new Map() };

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
export const readCatalogue = ({ db, store }: Pick<Services, 'db' | 'store'>): Promise<Catalogue> =>
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
    const { servers: first, hosts: ofFile } = store.catalogue();
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

/**
 * Makes the database say what servers.json says: its hosts and apps are there, and those that stood in an earlier
 * servers.json and no longer do are not. What people set over REST and the file does not mention stays.
 */
export const takeOverFile = ({ db, store, clock }: Services): Promise<void> =>
  db.transact(async (tables) => {
    const { apps, hosts } = store.catalogue();
    for (const [name, { ip, port, key_hash }] of [...hosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const said = { ip, port, key_hash, source: 'file' as const };
      const row = await tables.hosts.lock({ name });
      if (row === undefined) {
        await tables.hosts.insert(newHost({ ...said, name }, clock.now()));
      } else if (!says(row, said)) {
        // A new key is what ends a quarantine.
        const released = row.key_hash === key_hash ? {} : { quarantined_at: null };
        await tables.hosts.update({ name }, { ...said, ...released });
      }
    }
    for (const app of apps.values()) await putApp(tables, app);
    const wanted = new Set(
      [...apps.values()].flatMap(({ name, hosts }) => hosts.map((host) => `${host}\n${name}`)),
    );
    for (const { name } of await tables.hosts.find({})) {
      const fromFile = hosts.has(name);
      for (const { app } of await tables.host_apps.find({ host: name })) {
        if (!wanted.delete(`${name}\n${app}`) && fromFile) await tables.host_apps.remove({ host: name, app });
      }
    }
    for (const pair of wanted) {
      const [host = '', app = ''] = pair.split('\n');
      await tables.host_apps.insert({ host, app });
    }
    for (const { name, source } of await tables.hosts.find({})) {
      if (source !== 'file' || hosts.has(name)) continue;
      await tables.host_apps.remove({ host: name });
      await tables.hosts.remove({ name });
    }
    for (const { name, source } of await tables.apps.find({})) {
      if (source !== 'file' || apps.has(name)) continue;
      await tables.host_apps.remove({ app: name });
      await tables.apps.remove({ name });
    }
  });
