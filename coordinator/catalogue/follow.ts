import { readCatalogue, takeOverFile } from './catalogue.ts';
import type { CatalogueServices } from './data-directory.ts';
import type { LiveCatalogue } from './live.ts';

/** Keeps the catalogue in memory as the data directory and the database say; other coordinators tell of their edits. */
export interface CatalogueChanges {
  /** Somebody has changed it through this coordinator: resolves when it is in force. */
  changed(): Promise<void>;
  /** Looks at what other coordinators changed, when that is due: a bus may lose what they tell, and some have none. */
  tick(): void;
  stop(): Promise<void>;
}

/** `settle` is done with each new catalogue before anybody is told of it. */
export const followCatalogue = (
  services: CatalogueServices & { readonly catalogue: LiveCatalogue },
  settle: () => Promise<void>,
): CatalogueChanges => {
  const { store, bus, clock, log, catalogue } = services;
  const next = () => clock.now() + store.configuration().time_between_updates_seconds * 1_000;
  let due = next();
  let last: Promise<void> = Promise.resolve();
  let stopped = false;

  /** One after the other, so that an older reading never replaces a newer one. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = last.then(() => (stopped ? undefined : work()));
    last = mine.catch((error: unknown) => log.error({ error }, 'the catalogue cannot be brought up to date'));
    return mine;
  };
  let reloading: Promise<void> | undefined;
  /** Whoever asks before the reading has begun shares it. */
  const reload = (): Promise<void> => {
    reloading ??= inTurn(async () => {
      reloading = undefined;
      catalogue.put(await readCatalogue(services));
      await settle();
      catalogue.tell();
    });
    reloading.catch(() => undefined); // logged, and tried again next time
    return reloading;
  };
  const unlisten = bus.listen('catalogue', () => void reload());
  /** Of the coordinators that hear it this one is the first. */
  const tellAll = (): Promise<void> => {
    bus.tell('catalogue');
    return reload();
  };
  const takeOver = async () => {
    await takeOverFile(services);
    void tellAll();
  };
  const unwatch = store.onChange(() => void inTurn(takeOver).catch(() => undefined));

  return {
    changed: tellAll,
    tick() {
      if (clock.now() < due) return;
      due = next();
      void reload();
    },
    async stop() {
      stopped = true;
      unwatch();
      unlisten();
      await last;
    },
  };
};
