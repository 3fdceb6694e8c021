import type { CatalogueFiles } from '../catalogue/data-directory.ts';
import { serversFileSchema } from '../catalogue/servers-file.ts';
import type { Settings } from '../kit/data-directory.ts';
import type { SecretName } from '../kit/secret-files.ts';
import type { Configuration } from '../kit/settings.ts';
import { configurationSchema } from '../kit/settings.ts';

/** One line of servers.json. Its key is "the-secret-key-of-" and the host's name. */
export const entry = (server_name: string, rc_name: string, info: object = {}) => ({
  server_name,
  ip: '127.0.0.1',
  port: 1,
  rc_info: { rc_name, info: { description: [{ en: `About ${rc_name}` }], ...info } },
  key: keyOf(server_name),
});

export const keyOf = (server_name: string): string => `the-secret-key-of-${server_name}`;

/** Tests come from one address and mean many visitors; those about the shares of strangers set their own. */
export const no_shares = {
  anonymous_sessions_per_network: 100_000,
  anonymous_network_percent: 100,
  anonymous_unused_sessions_per_network: 100_000,
  anonymous_queue_places_per_network: 100_000,
  anonymous_bookings_held_per_network: 100_000,
  anonymous_seats_percent: 100,
  anonymous_queue_percent: 100,
  anonymous_calendar_percent: 100,
} as const;

/** What an operator has who says nothing of shares. */
export const default_shares = Object.fromEntries(Object.keys(no_shares).map((key) => [key, undefined]));

const configuration = (patch: object = {}): Configuration =>
  configurationSchema.parse({
    ip: '127.0.0.1',
    port: 0,
    time_between_updates_seconds: 30,
    ...no_shares,
    ...patch,
  });

export interface MemoryStore extends Settings, CatalogueFiles {
  /** Pictures that were uploaded, by name. */
  readonly uploads: Map<string, Uint8Array>;
  /** Puts new content in force, as an edit of the files would. */
  edit(servers: readonly unknown[], patch?: object): void;
  /** What the secret files hold; empty at first. */
  readonly secrets: Map<SecretName, string>;
}

/** What stands in a data directory, without files. */
export const memoryStore = (servers: readonly unknown[], patch: object = {}): MemoryStore => {
  const listeners = new Set<() => void>();
  const secrets = new Map<SecretName, string>();
  const uploads = new Map<string, Uint8Array>();
  let current = { servers: serversFileSchema.parse(servers), configuration: configuration(patch) };
  return {
    secrets,
    secret: (name) => secrets.get(name),
    servers: () => current.servers,
    configuration: () => current.configuration,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    uploads,
    pictures: {
      read: async () => new Blob(['<svg/>'], { type: 'image/svg+xml' }),
      save: async (name, bytes) => void uploads.set(name, bytes),
      remove: async (name) => void uploads.delete(name),
    },
    health: () => ({ ok: true }),
    tick: () => {},
    refresh: async () => {},
    close: () => listeners.clear(),
    edit(edited, next = {}) {
      current = { servers: serversFileSchema.parse(edited), configuration: configuration(next) };
      for (const listener of listeners) listener();
    },
  };
};
