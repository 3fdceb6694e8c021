import type { HostRow } from '../store/tables.ts';
import type { Catalogue } from './catalogue.ts';

/** The catalogue that is in force at this coordinator. */
export interface LiveCatalogue {
  now(): Catalogue;
  /** Puts another one in force. */
  put(catalogue: Catalogue): void;
  /** The same for one host, whose row has just been stored. */
  putHost(row: HostRow): void;
  /** Tells who listens that it has been read anew. */
  tell(): void;
  /** Calls `listener` when it has. The function returned stops that. */
  onChange(listener: () => void): () => void;
}

/** In force until the first reading: no app on no host. */
export const createLiveCatalogue = (): LiveCatalogue => {
  let current: Catalogue = { servers: [], apps: new Map(), hosts: new Map() };
  const listeners = new Set<() => void>();
  return {
    now: () => current,
    put(catalogue) {
      current = catalogue;
    },
    putHost(row) {
      current = { ...current, hosts: new Map(current.hosts).set(row.name, row) };
    },
    tell() {
      for (const listener of [...listeners]) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};
