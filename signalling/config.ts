import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { describeProblem, readConfig } from '../shared/config.ts';
import { iceServerSchema } from '../shared/protocol/ice.ts';
import { helpText, type OptionName, type Options, optionNames, optionsSchema, standards } from './options.ts';

/** What Epic's page needs of `peerConnectionOptions`: an object, and arrays in `urls`. A single address is put into one. */
const peerOptionsSchema = z.looseObject({
  iceServers: z
    .array(
      z.preprocess((server) => {
        const { url, urls = url, ...rest } = (server ?? {}) as Record<string, unknown>;
        return { urls: typeof urls === 'string' ? [urls] : urls, ...rest };
      }, iceServerSchema.loose()),
    )
    .optional(),
});
export type PeerOptions = z.infer<typeof peerOptionsSchema>;

/** The options with everything read in that they only name. */
export interface Config {
  readonly options: Options;
  readonly peer_options: PeerOptions;
  readonly turn_secret: string;
  readonly tokens: { readonly player: string[]; readonly streamer: string[]; readonly sfu: string[] };
  /** Set by the session agent: players must show a token signed with it. */
  readonly admission_secret: string | undefined;
}

export type Loaded = { config: Config } | { help: string } | { problems: string[] };

type Raw = Record<string, unknown>;
type Result<T> = { value: T } | { problems: string[] };

/** What the command line says, not yet checked. Unknown options are problems. */
const commandLine = (args: string[]): Result<Raw & { help?: true }> => {
  const kinds = optionNames.map((name) => {
    const type = typeof standards[name] === 'boolean' ? ('boolean' as const) : ('string' as const);
    return [name, { type }] as const;
  });
  try {
    const { values } = parseArgs({
      args,
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
    return await readFile(file, 'utf8');
  } catch (error) {
    problems.push(`--${name}: ${error instanceof Error ? error.message : String(error)}`);
    return '';
  }
};

const lines = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.trim() !== '');

const peerOptions = (text: string, problems: string[]): PeerOptions => {
  if (text.trim() === '') return {};
  try {
    const parsed = peerOptionsSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    problems.push(
      ...parsed.error.issues.map((issue) => `--peer_options: ${issue.path.join('.')} ${issue.message}`),
    );
  } catch (error) {
    problems.push(`--peer_options: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {};
};

const completed = async (options: Options, admission_secret: string | undefined): Promise<Loaded> => {
  const problems: string[] = [];
  const file = (name: OptionName) => named(options, name, problems);
  const tokens = async (role: 'player' | 'streamer' | 'sfu') =>
    lines(`${options[`${role}_token`]}\n${await file(`${role}_token_file`)}`);
  const config: Config = {
    options,
    peer_options: peerOptions((await file('peer_options_file')) || options.peer_options, problems),
    turn_secret: (await file('turn_secret_file')).trim() || options.turn_secret,
    tokens: { player: await tokens('player'), streamer: await tokens('streamer'), sfu: await tokens('sfu') },
    admission_secret: admission_secret === '' ? undefined : admission_secret,
  };
  if (options.turn_urls.length > 0 && config.turn_secret === '') {
    problems.push('--turn_urls: needs --turn_secret or --turn_secret_file');
  }
  return problems.length > 0 ? { problems } : { config };
};

/**
 * Reads command line, configuration file and the files that they name. Never throws: what is wrong comes back, all of it,
 * as sentences.
 */
export const loadConfig = async (
  args: string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Loaded> => {
  const said = commandLine(args);
  if ('problems' in said) return said;
  const { help, ...raw } = said.value;
  if (help === true) return { help: helpText() };
  const filed = await configFile(raw);
  if ('problems' in filed) return filed;
  const parsed = optionsSchema.safeParse({ ...filed.value, ...raw });
  if (!parsed.success) {
    return { problems: parsed.error.issues.map((issue) => `--${issue.path.join('.')}: ${issue.message}`) };
  }
  return completed(parsed.data, env.SIGNALLING_ADMISSION_SECRET);
};
