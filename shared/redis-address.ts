import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { readTextSync } from './text-file.ts';

interface Login {
  readonly username?: string;
  readonly password?: string;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, and who asks. */
export interface RedisAddress extends Login {
  /** A local socket, a server, or the Sentinels that know which server it is at the moment. */
  readonly at: { readonly path: string } | Endpoint | Sentinels;
  readonly db: number;
  /** Encrypted, the server's certificate held to an authority (PEM; the well-known ones when left out) and to its address. */
  readonly tls?: { readonly ca?: string };
}

export interface Sentinels {
  readonly sentinels: readonly Endpoint[];
  /** What they call the master. */
  readonly name: string;
  readonly login: Login;
}

const form =
  'redis://user:password@host:6379, rediss:// with TLS, redis+unix:///path of a socket, or ' +
  'redis+sentinel://host:26379,host:26379/NAME';

/** What may stand behind the `?`. */
const optionsSchema = z.strictObject({
  /** The PEM file of the authority that signed the certificates. */
  ca: z.string().min(1).optional(),
  /** The file of the password, which then does not stand in the address. */
  password_file: z.string().min(1).optional(),
  sentinel_user: z.string().min(1).optional(),
  sentinel_password_file: z.string().min(1).optional(),
});

const urlForm =
  /^(redis|rediss|redis\+unix|redis\+sentinel|rediss\+sentinel):\/\/(?:([^@/?]*)@)?([^@/?]*)(\/[^?#]*)?(?:\?([^#]*))?$/;

const default_port = { server: 6_379, sentinel: 26_379 };

/** What is wrong with an address, never naming the password. */
class Wrong extends Error {}

const endpointOf = (text: string, port: number): Endpoint => {
  const url = `http://${text}`;
  if (!/^[^,]+$/.test(text) || !URL.canParse(url)) throw new Wrong(`has no host where one belongs: ${form}`);
  const { hostname, port: written } = new URL(url);
  // The default port of http is not written back.
  const own = /:(\d+)$/.exec(text)?.[1] ?? written;
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: own === '' ? port : Number(own) };
};

const contentOf = (file: string): string => {
  if (!isAbsolute(file)) throw new Wrong(`names the file "${file}": write its whole path`);
  try {
    return readTextSync(file).trim();
  } catch (error) {
    throw new Wrong(`names a file that cannot be read: ${error instanceof Error ? error.message : error}`);
  }
};

const authorityOf = (file: string): string => {
  const text = contentOf(file);
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Wrong(`names an authority in which no certificate stands: ${file}`);
};

const dbOf = (text: string): number => {
  if (/^\d{0,4}$/.test(text)) return Number(text);
  throw new Wrong(`names the database "${text}": it is a number`);
};

const optionsOf = (query: string): z.infer<typeof optionsSchema> => {
  const { data, error } = optionsSchema.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (data !== undefined) return data;
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw new Wrong(`has an option "${issue.keys[0]}" that is not known`);
  throw new Wrong(`has an option "${issue?.path[0]?.toString()}" without a value`);
};

const loginOf = (username: string | undefined, password: string | undefined): Login => {
  if (username !== undefined && password === undefined) throw new Wrong('names a user without a password');
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
};

const parse = (text: string): RedisAddress => {
  const [, scheme = '', user = '', hosts = '', path = '', query = ''] = urlForm.exec(text) ?? [];
  if (scheme === '') throw new Wrong(`is no address like ${form}`);
  const { ca, password_file, sentinel_user, sentinel_password_file } = optionsOf(query);
  const encrypted = scheme.startsWith('rediss');
  const bySentinel = scheme.endsWith('+sentinel');
  if (ca !== undefined && !encrypted) throw new Wrong('has a ca without TLS: that is rediss://');
  if (!bySentinel && (sentinel_user ?? sentinel_password_file) !== undefined)
    throw new Wrong('has a login for Sentinels without any: those are redis+sentinel://');
  const [name, ...rest] = user.split(':').map(decodeURIComponent);
  const written = rest.length === 0 ? undefined : rest.join(':');
  if (written !== undefined && password_file !== undefined)
    throw new Wrong('has both a password and a password_file');
  const password = password_file === undefined ? written : contentOf(password_file);
  const common = {
    ...loginOf(name === '' ? undefined : name, password),
    ...(encrypted ? { tls: ca === undefined ? {} : { ca: authorityOf(ca) } } : {}),
  };
  if (scheme === 'redis+unix') {
    if (hosts !== '' || path.length < 2) throw new Wrong(`has no path where one belongs: ${form}`);
    return { ...common, at: { path: decodeURIComponent(path) }, db: 0 };
  }
  const [first = '', second = ''] = path.slice(1).split('/').map(decodeURIComponent);
  if (!bySentinel) return { ...common, at: endpointOf(hosts, default_port.server), db: dbOf(first) };
  if (first === '') throw new Wrong(`does not say what the Sentinels call the master: ${form}`);
  const sentinels = hosts.split(',').map((host) => endpointOf(host, default_port.sentinel));
  const login = loginOf(
    sentinel_user,
    sentinel_password_file === undefined ? undefined : contentOf(sentinel_password_file),
  );
  return { ...common, at: { sentinels, name: first, login }, db: dbOf(second) };
};

/** Takes the address of a Redis apart, and reads the files that it names; or what is wrong with it. */
export const parseRedisUrl = (text: string): RedisAddress | { readonly problem: string } => {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof Wrong) return { problem: error.message };
    if (error instanceof URIError)
      return { problem: 'has a "%" that does not begin an escape: "%" itself is written %25' };
    throw error;
  }
};

/** What is wrong with the address of a Redis; undefined when nothing is. */
export const redisProblem = (text: string): string | undefined => {
  const parsed = parseRedisUrl(text);
  return 'problem' in parsed ? parsed.problem : undefined;
};
