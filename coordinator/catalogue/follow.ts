import { readCatalogue, takeOverFile } from './catalogue.ts';
import type { CatalogueServices } from './data-directory.ts';
import type { LiveCatalogue } from './live.ts';

/** Keeps the catalogue in memory as the data directory and the database say. */
export interface CatalogueChanges {
  /** Somebody has changed it through this coordinator: resolves when it is in force. */
  changed(): Promise<void>;
  /** Looks at what other coordinators changed, when that is due. */
  tick(): void;
  stop(): Promise<void>;
}

/** `settle` is done with each new catalogue before anybody is told of it. */
export const followCatalogue = (
  services: CatalogueServices & { readonly catalogue: LiveCatalogue },
  settle: () => Promise<void>,
): CatalogueChanges => {
  const { store, clock, log, catalogue } = services;
  const next = () => clock.now() + store.configuration().time_between_updates_seconds * 1_000;
  let due = next();
  let last: Promise<void> = Promise.resolve();
  let stopped = false;

  /** One after the other, so that an older reading never replaces a newer one. */
  const reload = (fromFile: boolean): Promise<void> => {
    const mine = last.then(async () => {
      if (stopped) return;
      if (fromFile) await takeOverFile(services);
      catalogue.put(await readCatalogue(services));
      await settle();
      catalogue.tell();
    });
    last = mine.catch((error: unknown) => log.error({ error }, 'the catalogue cannot be brought up to date'));
    return mine;
  };
  const unwatch = store.onChange(() => void reload(true).catch(() => undefined));

  return {
    changed: () => reload(false),
    tick() {
      if (clock.now() < due) return;
      due = next();
      reload(false).catch(() => undefined); // logged, and tried again next time
    },
    async stop() {
      stopped = true;
      unwatch();
      await last;
    },
  };
};
