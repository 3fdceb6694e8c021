import type { PoolOptions } from 'mysql2/promise';
import { Unusable } from '../database.ts';

const default_port = 3306;

const wrong = (text: string): Unusable =>
  new Unusable(
    `DATABASE_URL ${text}. It looks like mysql://user:password@host:3306/database, with ?tls=verify for an encrypted ` +
      'connection or ?socket=/path for a local socket.',
  );

/** Where the database is. Options of the driver cannot be passed in the URL. */
export type DatabaseAddress = Pick<
  PoolOptions,
  'host' | 'port' | 'user' | 'password' | 'socketPath' | 'ssl'
> & { readonly database: string };

/** Takes DATABASE_URL apart. Throws Unusable, never naming the password. */
export const parseDatabaseUrl = (text: string): DatabaseAddress => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['mysql:', 'mariadb:'].includes(url.protocol)) throw wrong('is no mysql:// URL');
  const database = decodeURIComponent(url.pathname.slice(1));
  if (!/^[\w$-]{1,64}$/.test(database)) throw wrong('names no database');
  const known = ['tls', 'socket'];
  const odd = [...url.searchParams.keys()].find((name) => !known.includes(name));
  if (odd !== undefined) throw wrong(`has an option "${odd}" that is not known`);
  const [tls, socket] = [url.searchParams.get('tls'), url.searchParams.get('socket')];
  if (tls !== null && tls !== 'verify') throw wrong('has a tls option that is not "verify"');
  const login = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  if (socket !== null) return { ...login, database, socketPath: socket };
  return {
    ...login,
    database,
    host: url.hostname,
    port: url.port === '' ? default_port : Number(url.port),
    ...(tls === null ? {} : { ssl: { rejectUnauthorized: true, minVersion: 'TLSv1.2' } }),
  };
};
