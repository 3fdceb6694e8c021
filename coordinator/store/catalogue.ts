import type { ServerEntry } from '../../shared/protocol/client-verbs.ts';

/** Texts by language: `{ en: "...", ru: "..." }`. */
export type Texts = Readonly<Record<string, string>>;

export interface CatalogueApp {
  readonly name: string;
  readonly title: Texts;
  readonly description: Texts;
  /** Name of a file in the data directory's `pictures/`. */
  readonly picture: string | undefined;
  /** Names of the hosts that have the app. */
  readonly hosts: readonly string[];
}

/** What may be started where, at one moment. A value: a new edit makes a new one. Keys are kept only as digests. */
export interface Catalogue {
  /** The entries of servers.json in their order, without keys. */
  readonly servers: readonly ServerEntry[];
  readonly apps: ReadonlyMap<string, CatalogueApp>;
  /** Host name -> SHA-256 of its agent's key. */
  readonly keys: ReadonlyMap<string, Buffer>;
}

const mergeTexts = (lists: readonly (readonly Record<string, string>[] | undefined)[]): Texts =>
  Object.assign({}, ...lists.flatMap((list) => list ?? []).reverse());

/** Gathers entries into apps. Where entries of one app differ, the text that stands first in the file counts. */
export const catalogueOf = (
  servers: readonly ServerEntry[],
  keys: ReadonlyMap<string, Buffer>,
): Catalogue => {
  const apps = new Map<string, CatalogueApp>();
  for (const [name, entries] of Map.groupBy(servers, ({ rc_info }) => rc_info.rc_name)) {
    const infos = entries.map(({ rc_info }) => rc_info.info);
    apps.set(name, {
      name,
      title: mergeTexts(infos.map(({ title }) => title)),
      description: mergeTexts(infos.map(({ description }) => description)),
      picture: infos.find(({ picture }) => picture !== undefined)?.picture,
      hosts: entries.map(({ server_name }) => server_name),
    });
  }
  return { servers, apps, keys };
};
