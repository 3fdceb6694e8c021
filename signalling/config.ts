import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { describeProblem, parseConfig, readConfig } from '../shared/config.ts';
import { looseIceServerSchema } from '../shared/ice-server.ts';
import { isRedisUrl } from '../shared/redis.ts';
import { readText } from '../shared/text-file.ts';
import { helpText, type OptionName, type Options, optionNames, optionsSchema, standards } from './options.ts';

/** What Epic's page needs of `peerConnectionOptions`: an object, and arrays in `urls`. A single address is put into one. */
const peerOptionsSchema = z.looseObject({
  iceServers: z
    .array(
      z.preprocess((server) => {
        const { url, urls = url, ...rest } = (server ?? {}) as Record<string, unknown>;
        return { urls: typeof urls === 'string' ? [urls] : urls, ...rest };
      }, looseIceServerSchema),
    )
    .optional(),
});
export type PeerOptions = z.infer<typeof peerOptionsSchema>;

export interface Tls {
  readonly key: string;
  readonly cert: string;
}

/** The options with everything read in that they only name. */
export interface Config {
  readonly options: Options;
  readonly peer_options: PeerOptions;
  readonly turn_secret: string;
  readonly tokens: { readonly player: string[]; readonly streamer: string[]; readonly sfu: string[] };
  /** Each lets a peer broadcast. */
  readonly broadcast_tokens: readonly string[];
  /** What HTTPS needs, when it is asked for. */
  readonly tls: Tls | undefined;
  /** Set by the session agent: players must show a token signed with it. */
  readonly admission_secret: string | undefined;
}

export type Loaded = { config: Config } | { help: string } | { problems: string[] };

type Raw = Record<string, unknown>;
type Result<T> = { value: T } | { problems: string[] };

/** As Epic's server takes them: `--console_messages` without a value, and two options with dashes. */
const spelledOut = (args: string[]): string[] =>
  args.map((arg, at) => {
    if (arg === '--console_messages' && (args[at + 1] ?? '--').startsWith('--')) return `${arg}=basic`;
    return arg.replace(
      /^--reverse-proxy(-num-proxies)?(?==|$)/,
      (name) => `--${name.slice(2).replaceAll('-', '_')}`,
    );
  });

/** What the command line says, not yet checked. Unknown options are problems. */
const commandLine = (args: string[]): Result<Raw & { help?: true }> => {
  const kinds = optionNames.map((name) => {
    const type = typeof standards[name] === 'boolean' ? ('boolean' as const) : ('string' as const);
    return [name, { type }] as const;
  });
  try {
    const { values } = parseArgs({
      args: spelledOut(args),
      options: { ...Object.fromEntries(kinds), help: { type: 'boolean', short: 'h' } },
    });
    return { value: values as Raw };
  } catch (error) {
    return { problems: [error instanceof Error ? error.message : String(error)] };
  }
};

/** What the configuration file says, each key checked so that a problem names its line. */
const configFile = async (raw: Raw): Promise<Result<Raw>> => {
  const file = raw.config_file;
  if (raw.no_config === true || typeof file !== 'string' || file === '') return { value: {} };
  if (raw.save === true && !existsSync(file)) return { value: {} };
  const checked = await readConfig(file, optionsSchema);
  const plain = await readConfig(file, z.looseObject({}));
  if ('problems' in checked) return { problems: checked.problems.map(describeProblem) };
  return 'problems' in plain ? { problems: plain.problems.map(describeProblem) } : plain;
};

/** The content of a file that an option names; '' when it names none. */
const named = async (options: Options, name: OptionName, problems: string[]): Promise<string> => {
  const file = options[name];
  if (typeof file !== 'string' || file === '') return '';
  try {
    return await readText(file);
  } catch (error) {
    problems.push(`--${name}: ${error instanceof Error ? error.message : String(error)}`);
    return '';
  }
};

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** `source` is the file, or the option, that the text comes from. */
const peerOptions = (text: string, source: string, problems: string[]): PeerOptions => {
  if (text.trim() === '') return {};
  const read = parseConfig(text, source, peerOptionsSchema);
  if ('value' in read) return read.value;
  problems.push(...read.problems.map(describeProblem));
  return {};
};

/** What the options cannot mean together. */
const contradictions = (options: Options, turn_secret: string): string[] =>
  [
    options.turn_urls.length > 0 &&
      turn_secret === '' &&
      '--turn_urls: needs --turn_secret or --turn_secret_file',
    options.turn_urls.length === 0 && turn_secret !== '' && '--turn_secret: needs --turn_urls',
    !options.cors &&
      [options.cors_allowed_origins, options.cors_allowed_methods, options.cors_allowed_headers].some(
        (allowed) => allowed.length > 0,
      ) &&
      '--cors_allowed_origins, --cors_allowed_methods, --cors_allowed_headers: need --cors',
    options.cors_credentials &&
      options.cors_allowed_origins.length === 0 &&
      '--cors_credentials: needs --cors_allowed_origins, or every site could act for its visitors',
    options.redis_url !== '' &&
      !isRedisUrl(options.redis_url) &&
      '--redis_url: not an address like redis://127.0.0.1:6379',
    options.save && options.config_file === '' && '--save: needs --config_file',
  ].filter((problem) => problem !== false);

type Environment = Readonly<Record<string, string | undefined>>;

const completed = async (options: Options, env: Environment): Promise<Loaded> => {
  const problems: string[] = [];
  const file = (name: OptionName) => named(options, name, problems);
  const tokens = async (role: 'player' | 'streamer' | 'sfu' | 'peer_broadcast') => {
    const filed = lines(await file(`${role}_token_file`));
    // An empty file must not open the door to everybody.
    if (options[`${role}_token_file`] !== '' && filed.length === 0)
      problems.push(`--${role}_token_file: holds no token`);
    return [...lines(options[`${role}_token`]), ...filed];
  };
  const turn_secret = (await file('turn_secret_file')).trim() || options.turn_secret;
  const filed_options = await file('peer_options_file');
  const [peer_text, source] =
    filed_options !== ''
      ? [filed_options, options.peer_options_file]
      : options.peer_options !== ''
        ? [options.peer_options, '--peer_options']
        : [env.SIGNALLING_PEER_OPTIONS ?? '', 'SIGNALLING_PEER_OPTIONS'];
  const config: Config = {
    options,
    peer_options: peerOptions(peer_text, source, problems),
    turn_secret,
    tokens: { player: await tokens('player'), streamer: await tokens('streamer'), sfu: await tokens('sfu') },
    broadcast_tokens: await tokens('peer_broadcast'),
    tls: options.https ? { key: await file('ssl_key_path'), cert: await file('ssl_cert_path') } : undefined,
    admission_secret: env.SIGNALLING_ADMISSION_SECRET || undefined,
  };
  problems.push(...contradictions(options, turn_secret));
  return problems.length > 0 ? { problems } : { config };
};

/** Tokens that were meant to be there: an empty one, as from a variable that is not set, must not open the door. */
const emptyTokens = (raw: Raw): string[] =>
  Object.entries(raw)
    .filter(([name, value]) => name.endsWith('_token') && value === '')
    .map(([name]) => `--${name}: is empty`);

/**
 * Reads command line, configuration file and the files that they name. Never throws: what is wrong comes back, all of it,
 * as sentences.
 */
export const loadConfig = async (args: string[], env: Environment): Promise<Loaded> => {
  const said = commandLine(args);
  if ('problems' in said) return said;
  const { help, ...raw } = said.value;
  if (help === true) return { help: helpText() };
  const empty = emptyTokens(raw);
  if (empty.length > 0) return { problems: empty };
  const filed = await configFile(raw);
  if ('problems' in filed) return filed;
  const https = raw.https_port === undefined ? {} : { https: true };
  const parsed = optionsSchema.safeParse({ ...filed.value, ...https, ...raw });
  if (!parsed.success) {
    return { problems: parsed.error.issues.map((issue) => `--${issue.path.join('.')}: ${issue.message}`) };
  }
  return completed(parsed.data, env);
};
