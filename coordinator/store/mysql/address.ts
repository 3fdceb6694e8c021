import type { PoolOptions } from 'mysql2/promise';
import { z } from 'zod';
import { wholeNumberSchema } from '../../../shared/protocol/names.ts';
import { readTextSync } from '../../../shared/text-file.ts';
import { Unusable } from '../database.ts';

const default_port = 3306;

const wrong = (text: string): Unusable =>
  new Unusable(
    `DATABASE_URL ${text}. It looks like mysql://user:password@host:3306/database, with ?tls=verify for an encrypted ` +
      'connection or ?socket=/path for a local socket; docs/operations.md lists the options.',
  );

/** What may stand behind the `?` of DATABASE_URL. */
const optionsSchema = z.strictObject({
  /** Encrypts, and holds the server's certificate to an authority and to the host's name. */
  tls: z.literal('verify', 'is "verify" or left out').optional(),
  /** The PEM file of the authority that signed it, where that is none of the well-known ones. */
  ca: z.string().min(1).optional(),
  /** The local socket to connect to instead of host and port. */
  socket: z.string().min(1).optional(),
  /** Connections of one coordinator. */
  connections: wholeNumberSchema(1, 1_000).default(16),
  /** Transactions that wait for a connection; a further one fails. */
  waiting: wholeNumberSchema(1, 100_000).default(2_000),
  connect_seconds: wholeNumberSchema(1, 60).default(3),
  /** One attempt at a transaction, the wait for a connection included, and the longest that the server works at a statement. */
  transaction_seconds: wholeNumberSchema(1, 600).default(15),
  /** How long one statement waits for a row or a table that another transaction has locked. */
  lock_seconds: wholeNumberSchema(1, 600).default(5),
});

/** How connections are used, from the URL. */
export type DatabaseLimits = Pick<
  z.infer<typeof optionsSchema>,
  'connections' | 'waiting' | 'connect_seconds' | 'transaction_seconds' | 'lock_seconds'
>;

/** Where the database is. Options of the driver cannot be passed in the URL. */
export interface DatabaseAddress {
  readonly database: string;
  readonly driver: Pick<
    PoolOptions,
    'host' | 'port' | 'user' | 'password' | 'socketPath' | 'ssl' | 'database'
  >;
  readonly limits: DatabaseLimits;
}

const authorityOf = (file: string): string => {
  try {
    const text = readTextSync(file);
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch (error) {
    throw wrong(`names an authority that cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  throw wrong(`names an authority in which no certificate stands: ${file}`);
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a "%" that does not begin an escape: "%" itself is written %25');
  }
};

const optionsOf = (url: URL): z.infer<typeof optionsSchema> => {
  const names = [...url.searchParams.keys()];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw wrong(`has the option "${twice}" twice`);
  const { data, error } = optionsSchema.safeParse(Object.fromEntries(url.searchParams));
  if (data !== undefined) return data;
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') throw wrong(`has an option "${issue.keys[0]}" that is not known`);
  throw wrong(`has an option "${issue?.path[0]?.toString()}" that ${issue?.message}`);
};

/** Takes DATABASE_URL apart, and reads the authority that it names. Throws Unusable, never naming the password. */
export const parseDatabaseUrl = (text: string): DatabaseAddress => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['mysql:', 'mariadb:'].includes(url.protocol)) throw wrong('is no mysql:// URL');
  const database = decoded(url.pathname.slice(1));
  if (!/^[\w$-]{1,64}$/.test(database)) throw wrong('names no database');
  const { tls, ca, socket, ...limits } = optionsOf(url);
  if (ca !== undefined && tls === undefined) throw wrong('has a ca without tls=verify');
  if (socket !== undefined && tls !== undefined)
    throw wrong('has both socket and tls: a local socket has no need of it');
  const login = { user: decoded(url.username), password: decoded(url.password), database };
  if (socket !== undefined) return { database, driver: { ...login, socketPath: socket }, limits };
  const verified = { rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2' };
  const ssl = ca === undefined ? verified : { ...verified, ca: authorityOf(ca) };
  const driver = {
    ...login,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? default_port : Number(url.port),
    ...(tls === undefined ? {} : { ssl }),
  };
  return { database, driver, limits };
};
