import { networkInterfaces } from 'node:os';
import { parseArgs } from 'node:util';
import { type LogLevel, logLevels } from '../shared/log.ts';
import { nameSchema } from '../shared/protocol/names.ts';
import { type DeploymentFlags, deployments, type Program } from './deployment.ts';

export type Command =
  | { readonly name: 'serve'; readonly data: string; readonly port?: number; readonly log_level: LogLevel }
  | { readonly name: 'migrate'; readonly mode: 'apply' | 'status' | 'dry-run' }
  | { readonly name: 'import'; readonly data: string }
  | { readonly name: 'config'; readonly program: Program; readonly flags: DeploymentFlags }
  /** Makes an administrator, in the database or, without one, in the data directory. */
  | {
      readonly name: 'admin';
      readonly email: string;
      readonly full_name: string;
      readonly data: string | undefined;
    }
  /** Makes a one-time token by which a host's agent gets its key, and the host and its apps if need be. */
  | {
      readonly name: 'enrol';
      readonly host: string;
      readonly apps: readonly string[];
      readonly minutes: number;
      readonly url: string | undefined;
      readonly data: string | undefined;
      /** Of an operator of the coordinator that runs; left out, the database is asked. */
      readonly email: string | undefined;
    }
  | { readonly name: 'version' }
  | { readonly name: 'help' }
  /** The command line cannot be understood: what to say about it. */
  | { readonly name: 'wrong'; readonly text: string };

export const help = `Usage: coordinator serve --data DIR [--port N] [--log_level L]
       coordinator migrate [--status | --dry-run]
       coordinator import DIR
       coordinator config nginx|coturn|systemd [--data DIR] [--host NAME] [--port N]
                          [--secret_file FILE] [--address IP]
       coordinator admin create --email E --name N [--data DIR]
       coordinator enrol NAME [--app APP]... [--minutes N] [--url URL] [--data DIR | --email E]
       coordinator version
       coordinator help

serve       answers browsers and session agents until SIGINT or SIGTERM
  --data DIR       the data directory: servers.json, configuration.json, pictures/
  --port N         listen on this port, not on the one in configuration.json; 0 for any free one
  --log_level L    ${logLevels.join(', ')} (default info)
migrate     brings the schema of the database at DATABASE_URL up to this version
  --status         only says what is applied and what is due
  --dry-run        only prints the SQL that is due
import      copies the JSON files of the data directory DIR into the empty database at DATABASE_URL
config      prints the configuration of a program around the coordinator, from configuration.json in DIR and these:
  --host NAME      the name that visitors type
  --port N         where the coordinator listens
  --secret_file F  the secret that coturn and the coordinator share
  --address IP     the address of this machine that coturn listens on
admin       makes an administrator; the password is read from standard input, one line
  --email E        the address to log in with
  --name N         the name that others see
  --data DIR       the data directory of a coordinator that is stopped; not needed with DATABASE_URL
enrol       prints the command by which the machine NAME becomes a host; makes the host and its apps if need be
  --app APP        an app that the host has; may be repeated
  --minutes N      how long the command is good, once (default 60)
  --url URL        where hosts reach the coordinator (default: public_url of configuration.json in DIR)
  --data DIR       the data directory; without DATABASE_URL that of a coordinator that is stopped
  --email E        an operator of the coordinator that runs at URL; the password is read from standard input
version     prints the version
help        prints this
`;

const wrong = (text: string): Command => ({ name: 'wrong', text });

const portOf = (port: string): number | undefined =>
  /^\d{1,5}$/.test(port) && Number(port) <= 65_535 ? Number(port) : undefined;

const port_text = '--port is a number from 0 to 65535';

const serveCommand = (data?: string, port?: string, level = 'info'): Command => {
  if (data === undefined) return wrong('serve needs --data DIR, the directory that holds servers.json');
  const log_level = logLevels.find((one) => one === level);
  if (log_level === undefined) return wrong(`--log_level is one of ${logLevels.join(', ')}`);
  if (port === undefined) return { name: 'serve', data, log_level };
  const number = portOf(port);
  return number === undefined ? wrong(port_text) : { name: 'serve', data, port: number, log_level };
};

const migrateCommand = (status = false, dryRun = false): Command => {
  if (status && dryRun) return wrong('--status and --dry-run exclude each other');
  if (status) return { name: 'migrate', mode: 'status' };
  return { name: 'migrate', mode: dryRun ? 'dry-run' : 'apply' };
};

type Flag = string | undefined;

const configCommand = (
  asked: Flag,
  { port, ...values }: Omit<DeploymentFlags, 'port'> & { readonly port: Flag },
): Command => {
  const program = deployments.find((one) => one === asked);
  if (program === undefined) return wrong(`config prints one of ${deployments.join(', ')}`);
  const number = port === undefined ? undefined : portOf(port);
  if (port !== undefined && number === undefined) return wrong(port_text);
  return { name: 'config', program, flags: { ...values, port: number } };
};

interface AdminOptions {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  readonly data?: string | undefined;
}

const adminCommand = (action: string | undefined, { email, name, data }: AdminOptions): Command => {
  if (action !== 'create') return wrong('the command is "admin create"');
  if (email === undefined || name === undefined) return wrong('admin create needs --email and --name');
  const { data: full_name, error } = nameSchema.safeParse(name);
  return full_name === undefined
    ? wrong(`--name ${error?.issues[0]?.message ?? 'is wrong'}`)
    : { name: 'admin', email, full_name, data };
};

interface EnrolOptions {
  readonly app?: readonly string[] | undefined;
  readonly minutes?: string | undefined;
  readonly url?: string | undefined;
  readonly data?: string | undefined;
  readonly email?: string | undefined;
}

const minutes_most = 10_080;

const enrolCommand = (host: Flag, { app = [], minutes = '60', url, data, email }: EnrolOptions): Command => {
  if (host === undefined) return wrong('enrol needs the name of the host');
  for (const name of [host, ...app]) {
    const { error } = nameSchema.safeParse(name);
    if (error !== undefined) return wrong(`"${name}" ${error.issues[0]?.message ?? 'is wrong'}`);
  }
  const number = /^\d{1,5}$/.test(minutes) ? Number(minutes) : 0;
  if (number < 1 || number > minutes_most) return wrong(`--minutes is a number from 1 to ${minutes_most}`);
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    return wrong('--url is an address like https://vitrina.example');
  }
  return { name: 'enrol', host, apps: app, minutes: number, url, data, email };
};

/** What the command line asks for. Never throws. */
export const parseCommand = (args: readonly string[]): Command => {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        port: { type: 'string' },
        log_level: { type: 'string' },
        host: { type: 'string' },
        secret_file: { type: 'string' },
        address: { type: 'string' },
        status: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        email: { type: 'string' },
        name: { type: 'string' },
        app: { type: 'string', multiple: true },
        minutes: { type: 'string' },
        url: { type: 'string' },
      },
    });
    const [name = 'help', ...rest] = positionals;
    const data = ['import', 'admin', 'enrol'].includes(name) ? rest.shift() : undefined;
    const program = name === 'config' ? rest.shift() : undefined;
    const [extra] = rest;
    if (extra !== undefined) return wrong(`"${extra}" is one word too many`);
    if (name === 'serve') return serveCommand(values.data, values.port, values.log_level);
    if (name === 'migrate') return migrateCommand(values.status, values['dry-run']);
    if (name === 'admin') return adminCommand(data, values);
    if (name === 'enrol') return enrolCommand(data, values);
    if (name === 'import') {
      return data === undefined ? wrong('import needs the data directory to copy') : { name, data };
    }
    if (name === 'config') {
      const { data, host, port, secret_file, address } = values;
      return configCommand(program, { data, host, port, secret_file, address });
    }
    if (name === 'version' || name === 'help') return { name };
    return wrong(`there is no command "${name}"`);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
};

const everywhere = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';

/**
 * Where to listen for the `ip` of configuration.json. An address that is not this machine's own, as behind NAT, cannot
 * be listened on: then it is all addresses.
 */
export const listenAddress = (ip: string, own: readonly string[]): string =>
  everywhere(ip) || /^127\./.test(ip) || own.includes(ip) ? ip : '0.0.0.0';

/** The addresses of this machine's network interfaces. */
export const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));

/** The URL by which this machine itself reaches what listens there. */
export const localUrl = (address: string, port: number): string => {
  const host = everywhere(address) ? '127.0.0.1' : address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

/** What to tell the operator when the port cannot be listened on. */
export const listenFailure = (error: unknown, port: number): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return `Port ${port} is taken by another program. Stop that program, or choose another port: --port N, or "port" in configuration.json.`;
  }
  if (code === 'EACCES') {
    return `Port ${port} needs more rights: ports below 1024 are for root. Choose another port: --port N, or "port" in configuration.json.`;
  }
  return `Cannot listen on port ${port}: ${error instanceof Error ? error.message : String(error)}`;
};
