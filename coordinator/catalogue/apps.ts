import { counted } from '../../shared/counted.ts';
import { type Refusal, refuse } from '../../shared/errors.ts';
import type { CatalogueAppView, ChangeApp, CreateApp } from '../../shared/protocol/catalogue.ts';
import { audit } from '../kit/audit.ts';
import { bounds } from '../kit/limits.ts';
import type { Services } from '../kit/services.ts';
import { Taken } from '../store/database.ts';
import type { AppRow, ReadTables, Tables } from '../store/tables.ts';
import { appDefaults } from './catalogue.ts';
import type { CatalogueServices } from './data-directory.ts';
import { checkMinutes, checkSource, pictureType } from './rules.ts';

type Parts = Pick<Services, 'db' | 'clock' | 'ids'>;
type PictureParts = Parts & Pick<CatalogueServices, 'files' | 'log'>;

const describe = (row: AppRow, hosts: readonly string[]): CatalogueAppView => ({
  ...row,
  title: JSON.parse(row.title),
  description: JSON.parse(row.description),
  hosts: [...hosts],
});

const hostsOf = async ({ host_apps }: Pick<ReadTables, 'host_apps'>, app: string): Promise<string[]> =>
  (await host_apps.find({ app }, { order: ['host'] })).map(({ host }) => host);

export const listCatalogueApps = ({ db }: Parts): Promise<CatalogueAppView[]> =>
  db.read(async ({ apps, host_apps }) => {
    const hosts = Map.groupBy(await host_apps.find({}), ({ app }) => app);
    return (await apps.find({})).map((row) =>
      describe(
        row,
        (hosts.get(row.name) ?? []).map(({ host }) => host),
      ),
    );
  });

/** The app with its settings; app_unknown. */
export const showCatalogueApp = ({ db }: Parts, name: string): Promise<CatalogueAppView | Refusal> =>
  db.read(async ({ apps, host_apps }) => {
    const row = await apps.get({ name });
    if (row === undefined) return refuse('app_unknown');
    return describe(row, await hostsOf({ host_apps }, name));
  });

type Columns = Partial<Omit<AppRow, 'name' | 'version'>>;

/** The columns of the fields that are given. */
const columnsOf = ({ title, description, ...rest }: ChangeApp): Columns => ({
  ...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Columns),
  ...(title === undefined ? {} : { title: JSON.stringify(title) }),
  ...(description === undefined ? {} : { description: JSON.stringify(description) }),
});

/** Adds an app that no host has yet; name_taken, malformed, or too_many. */
export const createApp = async (
  parts: Parts,
  actor: string,
  { name, ...given }: CreateApp,
): Promise<CatalogueAppView | Refusal> => {
  const bare = { name, title: '{}', description: '{}', picture: null, source: 'rest', version: 1 } as const;
  const row: AppRow = { ...bare, ...appDefaults, ...columnsOf(given) };
  const wrong = checkMinutes(row);
  if (wrong !== undefined) return wrong;
  try {
    return await parts.db.transact(async (tables) => {
      if ((await tables.apps.count({})) >= bounds.apps) return refuse('too_many', 'apps');
      await tables.apps.insert(row);
      await audit(parts, tables, actor, 'app.created', name, given);
      return describe(row, await hostsOf(tables, name));
    });
  } catch (error) {
    if (error instanceof Taken) return refuse('name_taken');
    throw error;
  }
};

/** Locks the app at the version that was read; app_unknown or version_conflict. */
const lockApp = async (
  { apps }: Pick<Tables, 'apps'>,
  name: string,
  version: number,
): Promise<AppRow | Refusal> => {
  const row = await apps.lock({ name });
  if (row === undefined) return refuse('app_unknown');
  return row.version === version ? row : refuse('version_conflict');
};

/** Changes what is given; app_unknown, version_conflict, managed_by_file or malformed. */
export const changeApp = (
  parts: Parts,
  actor: string,
  name: string,
  version: number,
  given: ChangeApp,
): Promise<CatalogueAppView | Refusal> => {
  const changes = columnsOf(given);
  return parts.db.transact(async (tables) => {
    const row = await lockApp(tables, name, version);
    if ('refused' in row) return row;
    const changed = { ...row, ...changes, version: version + 1 };
    const refused = checkSource(row.source, Object.keys(changes)) ?? checkMinutes(changed);
    if (refused !== undefined) return refused;
    await tables.apps.update({ name }, changes);
    await audit(parts, tables, actor, 'app.changed', name, given);
    return describe(changed, await hostsOf(tables, name));
  });
};

/**
 * Removes an app that nobody has booked; app_unknown, version_conflict, managed_by_file or in_use. Its hosts are locked
 * first, as a new booking locks its own.
 */
export const removeApp = (
  parts: Parts,
  actor: string,
  name: string,
  version: number,
): Promise<Refusal | undefined> =>
  parts.db.transact(async (tables) => {
    const hosts = await hostsOf(tables, name);
    for (const host of hosts) await tables.hosts.lock({ name: host });
    const row = await lockApp(tables, name, version);
    if ('refused' in row) return row;
    const refused = checkSource(row.source, ['name']);
    if (refused !== undefined) return refused;
    // A host that was given the app in between is not locked.
    if (!Bun.deepEquals(await hostsOf(tables, name), hosts)) return refuse('version_conflict');
    const booked = await tables.bookings.count({ app: name, state: { in: ['held', 'open'] } });
    if (booked > 0) return refuse('in_use', counted(booked, 'booking'));
    await tables.host_apps.remove({ app: name });
    await tables.apps.remove({ name });
    await audit(parts, tables, actor, 'app.deleted', name);
    return undefined;
  });

/** Only what was uploaded is removed with its app; what people put into pictures/ is theirs. */
const isUpload = (picture: string | null): picture is string => picture?.startsWith('upload-') === true;

/** Removes a picture that no app shows any more. One that stays in the way of a failure only takes space. */
const forget = async ({ db, files, log }: PictureParts, picture: string | null): Promise<void> => {
  if (!isUpload(picture)) return;
  const apps = await db.read((tables) => tables.apps.find({}));
  if (apps.some((app) => app.picture === picture)) return;
  await files.pictures.remove(picture).catch((error) => log.warn({ error, picture }, 'a picture stays'));
};

/**
 * Gives the app a picture, which is stored before the app is said to have it; malformed when the bytes are none, or what
 * `changeApp` refuses.
 */
export const uploadPicture = async (
  parts: PictureParts,
  actor: string,
  name: string,
  version: number,
  bytes: Uint8Array,
): Promise<CatalogueAppView | Refusal> => {
  if (bytes.length > bounds.picture_bytes) return refuse('frame_too_large');
  const type = pictureType(bytes);
  if (type === undefined) return refuse('malformed', 'the body: not a PNG, JPEG, WebP or AVIF picture');
  const before = await showCatalogueApp(parts, name);
  if ('refused' in before) return before;
  // Refused before anything is written to the disk.
  const refused = checkSource(before.source, ['picture']);
  if (refused !== undefined || before.version !== version) return refused ?? refuse('version_conflict');
  const picture = `upload-${parts.ids.id()}.${type}`;
  await parts.files.pictures.save(picture, bytes);
  const changed = await changeApp(parts, actor, name, version, { picture });
  await forget(parts, 'refused' in changed ? picture : before.picture);
  return changed;
};
