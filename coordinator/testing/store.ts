import { serversFileSchema } from '../catalogue/servers-file.ts';
import type { SecretName } from '../kit/secret-files.ts';
import type { Configuration } from '../kit/settings.ts';
import { configurationSchema } from '../kit/settings.ts';
import type { Store } from '../kit/store.ts';

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

export interface MemoryStore extends Store {
  /** Pictures that were uploaded, by name. */
  readonly uploads: Map<string, Uint8Array>;
  /** Puts new content in force, as an edit of the files would. */
  edit(servers: readonly unknown[], patch?: object): void;
  /** What the secret files hold; empty at first. */
  readonly secrets: Map<SecretName, string>;
}

/** A store without files. */
export const memoryStore = (servers: readonly unknown[], patch: object = {}): MemoryStore => {
  const listeners = new Set<() => void>();
  const secrets = new Map<SecretName, string>();
  const uploads = new Map<string, Uint8Array>();
  let current = { catalogue: serversFileSchema.parse(servers), configuration: configuration(patch) };
  return {
    secrets,
    secret: (name) => secrets.get(name),
    catalogue: () => current.catalogue,
    configuration: () => current.configuration,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    picture: async () => new Blob(['<svg/>'], { type: 'image/svg+xml' }),
    uploads,
    pictures: {
      save: async (name, bytes) => void uploads.set(name, bytes),
      remove: async (name) => void uploads.delete(name),
    },
    health: () => ({ ok: true }),
    tick: () => {},
    refresh: async () => {},
    close: () => listeners.clear(),
    edit(edited, next = {}) {
      current = { catalogue: serversFileSchema.parse(edited), configuration: configuration(next) };
      for (const listener of listeners) listener();
    },
  };
};
