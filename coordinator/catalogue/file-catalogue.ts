import type { ServerEntry } from '../../shared/protocol/client-verbs.ts';
import type { AppRow } from '../store/tables.ts';

/** Texts by language: `{ en: "...", ru: "..." }`. */
export type Texts = Readonly<Record<string, string>>;

/** What servers.json may say of an app beyond its texts. */
export type FileSettings = Partial<
  Pick<AppRow, 'default_minutes' | 'max_minutes' | 'idle_seconds' | 'who_may_start' | 'lobby'>
>;

export interface FileApp {
  readonly name: string;
  readonly title: Texts;
  readonly description: Texts;
  /** Name of a file in the data directory's `pictures/`. */
  readonly picture: string | undefined;
  readonly settings: FileSettings;
  /** Names of the hosts that have the app. */
  readonly hosts: readonly string[];
}

export interface FileHost {
  readonly ip: string;
  readonly port: number;
  /** SHA-256 of its agent's key, as `hashOf` writes it. */
  readonly key_hash: string;
}

/** What servers.json says. A value: a new edit makes a new one. */
export interface FileCatalogue {
  /** The entries in their order, without keys. */
  readonly servers: readonly ServerEntry[];
  readonly apps: ReadonlyMap<string, FileApp>;
  readonly hosts: ReadonlyMap<string, FileHost>;
}

const mergeTexts = (lists: readonly (readonly Record<string, string>[] | undefined)[]): Texts =>
  Object.assign({}, ...lists.flatMap((list) => list ?? []).reverse());

/** Gathers entries into apps. Where entries of one app differ, what stands first in the file counts. */
export const catalogueOf = (
  entries: readonly { readonly entry: ServerEntry; readonly settings: FileSettings }[],
  hosts: ReadonlyMap<string, FileHost>,
): FileCatalogue => {
  const apps = new Map<string, FileApp>();
  for (const [name, group] of Map.groupBy(entries, ({ entry }) => entry.rc_info.rc_name)) {
    const infos = group.map(({ entry }) => entry.rc_info.info);
    apps.set(name, {
      name,
      title: mergeTexts(infos.map(({ title }) => title)),
      description: mergeTexts(infos.map(({ description }) => description)),
      picture: infos.find(({ picture }) => picture !== undefined)?.picture,
      settings: Object.assign({}, ...group.map(({ settings }) => settings).reverse()),
      hosts: group.map(({ entry }) => entry.server_name),
    });
  }
  return { servers: entries.map(({ entry }) => entry), apps, hosts };
};
