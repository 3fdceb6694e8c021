import { existsSync } from 'node:fs';
import { z } from 'zod';
import { describeProblem, parseConfig, readConfig } from '../shared/config.ts';
import { hasTurn, looseIceServerSchema } from '../shared/ice-server.ts';
import { redisProblem } from '../shared/redis-address.ts';
import { readText } from '../shared/text-file.ts';
import { commandLine } from './command-line.ts';
import { type Raw, type Understood, understood } from './epic-options.ts';
import { helpText, type OptionName, type Options, optionsSchema } from './options.ts';

const own_credential = { username: 'its own', credential: 'its own' };

/** `url` and a single address are what older versions wrote. */
const iceServer = (own: boolean) => (server: unknown) => {
  const { url, urls = url, ...rest } = (server ?? {}) as Record<string, unknown>;
  const listed = { urls: typeof urls === 'string' ? [urls] : urls, ...rest };
  return own && hasTurn(listed) ? { ...listed, ...own_credential } : listed;
};

const pool_size = 'is a number from 0 to 255';

/**
 * What Epic's page needs of `peerConnectionOptions`: an object, and arrays in `urls`. A single address is put into one. With
 * `own` TURN servers need no credentials: each connection gets some.
 */
const peerOptionsSchema = (own: boolean) =>
  z.looseObject({
    iceServers: z.array(z.preprocess(iceServer(own), looseIceServerSchema)).optional(),
    // The rest of RTCConfiguration: what is none of these makes RTCPeerConnection throw.
    iceTransportPolicy: z.enum(['all', 'relay'], 'is "all" or "relay"').optional(),
    bundlePolicy: z
      .enum(['balanced', 'max-bundle', 'max-compat'], 'is "balanced", "max-bundle" or "max-compat"')
      .optional(),
    rtcpMuxPolicy: z.literal('require', 'is "require"').optional(),
    iceCandidatePoolSize: z.number(pool_size).int(pool_size).min(0, pool_size).max(255, pool_size).optional(),
    certificates: z.never('cannot be written down: browsers make them').optional(),
  });
export type PeerOptions = z.infer<ReturnType<typeof peerOptionsSchema>>;

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

/** `warnings` name options that mean nothing here. */
export type Loaded =
  | { config: Config; warnings: string[] }
  | { help: string }
  | { version: true }
  | { problems: string[] };

/** One option's value, and what is wrong with it. */
const checkedOption = (name: string, value: unknown): z.core.$ZodIssue[] =>
  optionsSchema.shape[name as OptionName].safeParse(value).error?.issues ?? [];

/** What is wrong within peer options that stand in a file as an object. Whether credentials are needed is looked at later. */
const peerIssues = (name: string, value: unknown): z.core.$ZodIssue[] =>
  name === 'peer_options' && typeof value === 'object'
    ? (peerOptionsSchema(true).safeParse(value).error?.issues ?? [])
    : [];

/** A file of options in any of Epic's words. A problem is at the key as it stands there. */
const fileSchema = z.record(z.string(), z.unknown()).transform((raw, context): Filed => {
  const { values, written, warnings, problems, cirrus } = understood(raw);
  for (const { written, text } of problems) {
    context.addIssue({ code: 'custom', path: [written], message: text });
  }
  for (const [name, value] of Object.entries(values)) {
    for (const { path, message } of [...checkedOption(name, value), ...peerIssues(name, value)]) {
      context.addIssue({ code: 'custom', path: [written[name] ?? name, ...path], message });
    }
  }
  if (!cirrus) return { values, warnings };
  // Cirrus serves pages unless it is told not to.
  const all: Raw = { serve: true, http_root: 'Public', ...values };
  const elsewhere = all.serve !== false && values.http_root === undefined;
  return { values: all, warnings: elsewhere ? [...warnings, cirrus_pages] : warnings };
});

const cirrus_pages = {
  written: 'http_root',
  text: 'is not said: pages come from the folder Public alone; copy scripts, images and custom_html of 4.27 to 5.1 there',
};

interface Filed {
  readonly values: Raw;
  readonly warnings: Understood['warnings'];
}

/** What the configuration file says. */
const configFile = async (raw: Raw): Promise<Filed | { problems: string[] }> => {
  const file = raw.config_file;
  const none = { values: {}, warnings: [] };
  if (isTrue(raw.no_config) || typeof file !== 'string' || file === '') return none;
  if (isTrue(raw.save) && !existsSync(file)) return none;
  const read = await readConfig(file, fileSchema);
  if ('value' in read) return read.value;
  return { problems: read.problems.toSorted((a, b) => a.line - b.line).map(describeProblem) };
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

const isTrue = (value: unknown): boolean => optionsSchema.shape.save.safeParse(value).data === true;

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/**
 * `source` is the file, or the option, that the text comes from. With a TURN secret of our own, `own`, the addresses of TURN
 * servers need no credential.
 */
const peerOptions = (text: string, source: string, own: boolean, problems: string[]): PeerOptions => {
  if (text.trim() === '') return {};
  const read = parseConfig(text, source, peerOptionsSchema(own));
  if ('value' in read) return read.value;
  problems.push(...read.problems.map(describeProblem));
  return {};
};

const wrongRedis = (url: string): string | false => {
  const problem = url === '' ? undefined : redisProblem(url);
  return problem !== undefined && `--redis_url: ${problem}`;
};

/** What the options cannot mean together. */
const contradictions = (options: Options, turn_secret: string, peer_options: PeerOptions): string[] =>
  [
    options.turn_urls.length > 0 &&
      turn_secret === '' &&
      '--turn_urls: needs --turn_secret or --turn_secret_file',
    options.turn_urls.length === 0 &&
      turn_secret !== '' &&
      !(peer_options.iceServers ?? []).some(hasTurn) &&
      '--turn_secret: needs --turn_urls or a turn: address in the peer options',
    !options.cors &&
      [options.cors_allowed_origins, options.cors_allowed_methods, options.cors_allowed_headers].some(
        (allowed) => allowed.length > 0,
      ) &&
      '--cors_allowed_origins, --cors_allowed_methods, --cors_allowed_headers: need --cors',
    options.cors_credentials &&
      options.cors_allowed_origins.length === 0 &&
      '--cors_credentials: needs --cors_allowed_origins, or every site could act for its visitors',
    wrongRedis(options.redis_url),
    options.save && options.config_file === '' && '--save: needs --config_file',
  ].filter((problem) => problem !== false);

type Environment = Readonly<Record<string, string | undefined>>;

const completed = async (
  options: Options,
  env: Environment,
  /** Where `peer_options` was said. */
  peer_source: string,
): Promise<{ config: Config } | { problems: string[] }> => {
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
        ? [options.peer_options, peer_source]
        : [env.SIGNALLING_PEER_OPTIONS ?? '', 'SIGNALLING_PEER_OPTIONS'];
  const config: Config = {
    options,
    peer_options: peerOptions(peer_text, source, turn_secret !== '', problems),
    turn_secret,
    tokens: {
      player: await tokens('player'),
      streamer: [...(await tokens('streamer')), ...lines(env.SIGNALLING_STREAMER_TOKEN ?? '')],
      sfu: await tokens('sfu'),
    },
    broadcast_tokens: await tokens('peer_broadcast'),
    tls: options.https ? { key: await file('ssl_key_path'), cert: await file('ssl_cert_path') } : undefined,
    admission_secret: env.SIGNALLING_ADMISSION_SECRET || undefined,
  };
  problems.push(...contradictions(options, turn_secret, config.peer_options));
  return problems.length > 0 ? { problems } : { config };
};

/** Tokens that were meant to be there: an empty one, as from a variable that is not set, must not open the door. */
const emptyTokens = (raw: Raw): string[] =>
  Object.entries(raw)
    .filter(([name, value]) => name.endsWith('_token') && value === '')
    .map(([name]) => `--${name}: is empty`);

/** What naming one option says about others, on the command line alone: files name them all. */
const implied = (raw: Raw): Raw => ({
  ...(raw.https_port === undefined ? {} : { https: true }),
  ...(raw.reverse_proxy_num_proxies === undefined ? {} : { reverse_proxy: true }),
});

/** `--console_messages` alone takes the detail that the file names. */
const detailed = (said: Raw, filed: Raw): Raw =>
  said.console_messages === true &&
  typeof filed.console_messages === 'string' &&
  filed.console_messages !== ''
    ? { ...said, console_messages: filed.console_messages }
    : said;

/**
 * Reads command line, configuration file and the files that they name. Never throws: what is wrong comes back, all of it,
 * as sentences.
 */
export const loadConfig = async (args: string[], env: Environment): Promise<Loaded> => {
  const line = commandLine(args);
  if (line.asks === 'help') return { help: helpText() };
  if (line.asks === 'version') return { version: true };
  const { values: raw, written, warnings, problems } = understood(line.raw);
  const wrong = [
    ...line.problems,
    ...problems.map(({ written, text }) => `--${written}: ${text}`),
    ...emptyTokens(raw),
  ];
  if (wrong.length > 0) return { problems: wrong };
  const filed = await configFile(raw);
  if ('problems' in filed) return filed;
  const parsed = optionsSchema.safeParse({
    ...filed.values,
    ...implied(raw),
    ...detailed(raw, filed.values),
  });
  if (!parsed.success) {
    const named = ([name, ...rest]: PropertyKey[]) => [written[String(name)] ?? name, ...rest].join('.');
    return { problems: parsed.error.issues.map(({ path, message }) => `--${named(path)}: ${message}`) };
  }
  const filed_at = (name: string) => `${String(raw.config_file)} ${name}`;
  const in_file = raw.peer_options === undefined && filed.values.peer_options !== undefined;
  const done = await completed(parsed.data, env, in_file ? filed_at('peer_options') : '--peer_options');
  if (!('config' in done)) return done;
  return {
    config: done.config,
    warnings: [
      ...warnings.map(({ written, text }) => `--${written}: ${text}`),
      ...filed.warnings.map(({ written, text }) => `${filed_at(written)}: ${text}`),
    ],
  };
};
