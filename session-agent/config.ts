import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { type Parsed, readConfig } from '../shared/config.ts';
import { counted } from '../shared/counted.ts';
import { nameSchema } from '../shared/protocol/names.ts';
import { sessionPlaceholder, signallingPlaceholders, unknownPlaceholders } from './domain/launch.ts';
import { type ArgumentProblem, argumentProblems } from './domain/presets.ts';

/** Player, streamer and SFU port of one session's signalling server. */
export const ports_per_session = 3;

const linkUrl = (text: string): string | undefined => {
  const url = URL.parse(text);
  if (url === null || !['ws:', 'wss:', 'http:', 'https:'].includes(url.protocol)) return undefined;
  if (url.username !== '' || url.search !== '' || url.hash !== '') return undefined;
  if (url.pathname === '/') url.pathname = '/agent';
  return url.href.replace(/^http/, 'ws');
};

const argumentSchema = z
  .string()
  .max(2_000)
  .superRefine((argument, context) => {
    for (const name of unknownPlaceholders(argument)) {
      context.addIssue(`{${name}} is no placeholder`);
    }
    if (argument.startsWith('{session_id}')) {
      context.addIssue('must not begin with {session_id}; write it as -Name={session_id}');
    }
  });

/** What Windows gives to its shell, whatever arguments it gets; dots, spaces and a stream's name at the end do not count. */
const isBatch = (path: string): boolean => /\.(bat|cmd)[. ]*(:.*)?$/i.test(path);
const batch_text = 'must be the program itself, not a .bat or .cmd file';

const absolute = z.string().refine(isAbsolute, 'must be an absolute path');
const programSchema = absolute.refine((path) => !isBatch(path), batch_text);

const signallingSchema = z.strictObject({
  path: programSchema,
  arguments: z
    .array(
      z
        .string()
        .max(2_000)
        .superRefine((argument, context) => {
          for (const name of unknownPlaceholders(argument, signallingPlaceholders)) {
            context.addIssue(`{${name}} is no placeholder here`);
          }
        }),
    )
    .max(200)
    .superRefine((templates, context) => {
      for (const name of ['player_port', 'streamer_port']) {
        if (!templates.some((template) => template.includes(`{${name}}`)))
          context.addIssue(`no argument says {${name}}`);
      }
    }),
});

export const appSchema = z.strictObject({
  rc_name: nameSchema,
  path: programSchema,
  /** Adds what this engine's Pixel Streaming wants on the command line, before `arguments`: "4.27", "5.7". */
  engine: z.string().optional(),
  /** Pixel Streaming 1 or 2 where the engine has both; the newer one when left out. */
  plugin: z.union([z.literal(1), z.literal(2)], '1 or 2').optional(),
  arguments: z.array(argumentSchema).max(200).default([]),
  /** Lets `arguments` hold what opens the app's console: -ExecCmds, -AllowPixelStreamingCommands. */
  allow_dangerous: z.boolean().default(false),
  environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(8_000)).default({}),
  working_directory: absolute.optional(),
  start_timeout_seconds: z.number().min(0.1).max(3_600).default(60),
  restart: z
    .strictObject({
      times: z.number().int().min(0).max(1_000),
      window_seconds: z.number().min(1).max(86_400),
    })
    .default({ times: 2, window_seconds: 600 }),
  stop_grace_seconds: z.number().min(0).max(120).default(5),
  /** An app that runs but whose streamer has been gone for so long counts as hung and is restarted. */
  hung_seconds: z.number().min(0.1).max(600).default(3),
  /** All of the app's processes together; beyond it the app counts as crashed. */
  memory_mb: z.number().int().min(16).max(10_000_000).optional(),
  /** The longest that one instance of the app may run. */
  longest_minutes: z.number().min(0.01).max(100_000).optional(),
  /** Another signalling server than ours, Epic's for one. Its arguments take {player_port}, {streamer_port} and {sfu_port}. */
  signalling: signallingSchema.optional(),
  /** How many instances to keep started ahead of the next session. */
  warm: z.number().int().min(0).max(100).default(0),
  /** What one session takes of its card. */
  vram_mb: z.number().int().min(0).max(10_000_000).default(0),
  encoders: z.number().int().min(0).max(100).default(1),
});

const cardSchema = z.strictObject({
  index: z.number().int().min(0).max(63),
  seats: z.number().int().min(1).max(1_000),
  vram_mb: z.number().int().min(1).max(10_000_000).optional(),
  encoders: z.number().int().min(1).max(1_000).optional(),
});

/** What is wrong with an app beyond its single fields. */
const appProblems = (app: z.infer<typeof appSchema>, has_cards: boolean): ArgumentProblem[] => {
  const personal = sessionPlaceholder(app.arguments);
  const message = `must be 0: the arguments hold {${personal}}, which is known only once there is a session`;
  return [
    ...argumentProblems(app, has_cards),
    ...(app.warm > 0 && personal !== undefined ? [{ path: ['warm'], message }] : []),
  ];
};

const portSchema = z.number().int().min(1_024, 'at least 1024').max(65_535, 'at most 65535');
const pixelSchema = z.number().int().min(16).max(16_384);

/** config.json of a host (user requirements A13). */
export const configSchema = z
  .strictObject({
    /** ws(s)://host[:port]/agent, or http(s)://host[:port]. */
    coordinator: z.string().transform((text, context) => {
      const url = linkUrl(text);
      if (url === undefined) context.addIssue('must be an address like https://coordinator.example');
      return url ?? '';
    }),
    server_name: nameSchema,
    key: z.string().min(16, 'at least 16 characters').max(200),
    seats: z.number().int().min(1).max(1_000),
    ports: z.strictObject({ from: portSchema, to: portSchema }),
    webrtc: z
      .strictObject({ resolution: z.strictObject({ width: pixelSchema, height: pixelSchema }) })
      .default({ resolution: { width: 1280, height: 720 } }),
    /** Relative to config.json. */
    log_folder: z.string().min(1).default('logs'),
    /** PEM; with it only certificates of this authority are trusted. Relative to config.json. */
    ca_file: z.string().min(1).optional(),
    /** The graphics cards; none listed: the machine counts as one card with all seats and no other bound. */
    cards: z.array(cardSchema).max(64).default([]),
    placing: z.enum(['spread', 'pack']).default('spread'),
    /** Without a connection to the coordinator for so long, sessions and warm instances end; 0: never. */
    alone_minutes: z.number().min(0).max(100_000).default(30),
    /** When given, only programs below these folders are launched, wherever links lead. */
    apps_folders: z.array(absolute).min(1, 'at least one folder').max(100).optional(),
    /** May be empty: a host that has just been enrolled waits for its first app. */
    apps: z.array(appSchema).max(1_000).default([]),
    /** The key that signs executables which `update` may install: the base64 line of an Ed25519 public key in PEM. */
    update_key: z
      .string()
      .regex(/^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/, 'the base64 line of an Ed25519 public key in PEM')
      .optional(),
  })
  .superRefine(({ ports, seats, cards, apps }, context) => {
    const needed = seats * ports_per_session;
    const held = ports.to - ports.from + 1;
    if (held < needed) {
      const message = `holds ${counted(Math.max(held, 0), 'port')}, but ${seats === 1 ? '1 seat needs' : `${seats} seats need`} ${needed} (${ports_per_session} each)`;
      context.addIssue({ code: 'custom', path: ['ports'], message });
    }
    const card_seats = cards.reduce((sum, card) => sum + card.seats, 0);
    if (cards.length > 0 && card_seats !== seats) {
      const message = `is ${seats}, but the cards have ${card_seats} together`;
      context.addIssue({ code: 'custom', path: ['seats'], message });
    }
    cards.forEach(({ index }, i) => {
      if (cards.findIndex((card) => card.index === index) < i) {
        context.addIssue({ code: 'custom', path: ['cards', i, 'index'], message: 'is listed twice' });
      }
    });
    apps.forEach(({ rc_name }, i) => {
      if (apps.findIndex((app) => app.rc_name === rc_name) < i) {
        context.addIssue({ code: 'custom', path: ['apps', i, 'rc_name'], message: 'is listed twice' });
      }
    });
    for (const [i, app] of apps.entries()) {
      for (const { path, message } of appProblems(app, cards.length > 0)) {
        context.addIssue({ code: 'custom', path: ['apps', i, ...path], message });
      }
    }
  });

type ConfigFile = z.infer<typeof configSchema>;

/** What config.json says, and where the agent of this config.json keeps its state. */
export interface AgentConfig extends ConfigFile {
  state_folder: string;
}
export type AppConfig = AgentConfig['apps'][number];

/** Where enroll puts config.json on Linux. */
export const usual_file = '/etc/vitrina/config.json';

/**
 * The journal of sessions, and how commands reach the running agent. Nobody chooses it: an agent that looked elsewhere than the one before it would
 * leave that one's sessions to nobody.
 */
export const stateFolderOf = (file: string): string =>
  file === usual_file ? '/var/lib/vitrina-agent' : join(dirname(resolve(file)), 'state');

/** The config with the folders and files that are relative to it made absolute. */
export const located = ({ log_folder, ca_file, ...rest }: ConfigFile, file: string): AgentConfig => {
  const folder = dirname(file);
  return {
    ...rest,
    log_folder: resolve(folder, log_folder),
    state_folder: stateFolderOf(file),
    ...(ca_file === undefined ? {} : { ca_file: resolve(folder, ca_file) }),
  };
};

/** config.json, checked, its folders and files made absolute; or all of its problems at once. */
export const readAgentConfig = async (file: string): Promise<Parsed<AgentConfig>> => {
  const read = await readConfig(file, configSchema);
  if ('problems' in read) return read;
  return { value: located(read.value, file) };
};

/** Why a program cannot be run as the disk is now, or undefined. */
const programProblem = async (path: string, folders: readonly string[] | undefined) => {
  try {
    const real = await realpath(path);
    const shown = real === path ? path : `${path} leads to ${real}, which`;
    if (isBatch(real)) return `${shown} ${batch_text}`;
    if (!(await stat(real)).isFile()) return `${shown} is not a file`;
    await access(real, constants.X_OK);
    if (folders === undefined || (await isBelow(real, folders))) return undefined;
    return `${shown} is in none of apps_folders`;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return `${path} does not exist`;
    if (code === 'EACCES') return `${path} is not executable for this user`;
    return `${path} cannot be used: ${String(error)}`;
  }
};

/** Whether a path without links is below one of the folders; one that does not exist holds nothing. */
const isBelow = async (real: string, folders: readonly string[]): Promise<boolean> => {
  const roots = await Promise.all(folders.map((folder) => realpath(folder).catch(() => undefined)));
  return roots.some((root) => {
    const way = root === undefined ? '..' : relative(root, real);
    return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  });
};

/**
 * Why an app cannot be launched as the disk is now, or undefined. Not part of the schema: one app that is not installed
 * yet must not keep the others from running.
 */
export const launchProblem = async (
  app: Pick<AppConfig, 'path' | 'signalling' | 'working_directory'>,
  apps_folders: readonly string[] | undefined,
): Promise<string | undefined> => {
  const { path, signalling, working_directory } = app;
  for (const program of signalling === undefined ? [path] : [path, signalling.path]) {
    const problem = await programProblem(program, apps_folders);
    if (problem !== undefined) return problem;
  }
  if (working_directory === undefined) return undefined;
  try {
    if (!(await stat(working_directory)).isDirectory()) return `${working_directory} is not a folder`;
    await access(working_directory, constants.X_OK);
    return undefined;
  } catch {
    return `${working_directory} is not a folder that this user may enter`;
  }
};
