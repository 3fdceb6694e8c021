import { type Refusal, refuse } from '../../shared/errors.ts';
import { type LaunchApp, presetArguments } from './presets.ts';

/** What an app's arguments may ask for by name, as `{streamer_url}`. */
export const placeholders = [
  'streamer_url',
  'streamer_id',
  'streamer_port',
  'session_id',
  'width',
  'height',
  'gpu',
  'language',
] as const;
export type Placeholder = (typeof placeholders)[number];

/** `gpu` is left out when config.json lists no cards: then nothing is said about the card, and no argument may ask. */
export type LaunchValues = Record<Exclude<Placeholder, 'gpu'>, string> & { gpu?: string };

/** What another signalling server's arguments may ask for. */
export const signallingPlaceholders = ['player_port', 'streamer_port', 'sfu_port'] as const;
type SignallingPlaceholder = (typeof signallingPlaceholders)[number];

const PLACEHOLDER = /\{([a-z_]+)\}/g;

/** Names in braces, in order. */
const namesIn = (argument: string): string[] =>
  [...argument.matchAll(PLACEHOLDER)].map(([, name = '']) => name);

/** Names in braces that are not among the known ones; a typing error in config.json. */
export const unknownPlaceholders = (argument: string, known: readonly string[] = placeholders): string[] =>
  namesIn(argument).filter((name) => !known.includes(name));

const WORD = /^[A-Za-z0-9_.-]+$/;
const id_characters = 64;
/** Our own name before an id. */
const streamer_id_characters = 80;
const PIXELS = /^[1-9]\d{1,4}$/;

const isPort = (text: string): boolean => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;

const isLocalUrl = (text: string): boolean => {
  const [, port] = /^ws:\/\/127\.0\.0\.1:(\d+)(\/\?token=[0-9a-f]{64})?$/.exec(text) ?? [];
  return port !== undefined && isPort(port);
};

/**
 * Unreal looks for some flags anywhere in its command line, also in the middle of a value; no value may spell these.
 * Dots alone would climb out of a folder that an argument names.
 */
const isSafeId = (text: string, characters: number): boolean =>
  text.length <= characters &&
  WORD.test(text) &&
  !/^\.+$/.test(text) &&
  !/execcmds|allowpixelstreamingcommands/i.test(text);

/** What each value must look like. None can end an argument, begin another or hold a "=". */
const checks: Record<Placeholder, (text: string) => boolean> = {
  streamer_url: isLocalUrl,
  streamer_id: (text) => isSafeId(text, streamer_id_characters),
  streamer_port: isPort,
  session_id: (text) => isSafeId(text, id_characters),
  width: (text) => PIXELS.test(text),
  height: (text) => PIXELS.test(text),
  gpu: (text) => /^\d{1,2}$/.test(text) && Number(text) <= 63,
  language: (text) => /^[a-z]{2}(-[A-Z]{2})?$/.test(text),
};

/** What only the coordinator can tell, and only once there is a session: no instance can be started ahead with it. */
const of_session: readonly Placeholder[] = ['session_id', 'language'];

/** The first of the session's own placeholders among the arguments; an app that uses one cannot be kept warm. */
export const sessionPlaceholder = (templates: readonly string[]): Placeholder | undefined =>
  of_session.find((name) => templates.some((template) => namesIn(template).includes(name)));

/**
 * The argument vector of an app: its engine's preset and its own arguments (see `presetArguments`) with the placeholders
 * filled in. A value that is not of its kind, or that would turn an argument into an option or a path,
 * is refused by its placeholder's name: what the coordinator sends must not steer a launch.
 */
export const appArguments = (app: LaunchApp, values: LaunchValues): string[] | Refusal => {
  const all = presetArguments(app, values.gpu !== undefined);
  for (const name of new Set(all.flatMap(namesIn))) {
    const value = Object.hasOwn(values, name) ? values[name as Placeholder] : undefined;
    if (value === undefined) return refuse('malformed', `${name} has no value`);
    if (!checks[name as Placeholder](value)) return refuse('malformed', `${name} is not what it should be`);
  }
  const filled = all.map((template) =>
    template.replace(PLACEHOLDER, (text, name: string) => values[name as Placeholder] ?? text),
  );
  const steered = all.find((template, i) => template.startsWith('{') && /^[-/]/.test(filled[i] ?? ''));
  if (steered === undefined) return filled;
  return refuse('malformed', `${namesIn(steered)[0]} would begin an argument with "-" or "/"`);
};

/**
 * Whether the app is told the streamer's address whole, so that a token can go with it: `{streamer_url}` stands where nothing
 * follows, and not only `{streamer_port}`.
 */
export const takesStreamerUrl = (app: LaunchApp): boolean => {
  const holding = presetArguments(app, false).filter((template) => template.includes('{streamer_url}'));
  return holding.length > 0 && holding.every((template) => template.endsWith('{streamer_url}'));
};

/** The command of another signalling server than ours, its ports filled in: program, then arguments. */
export const signallingCommand = (
  { path, arguments: templates }: { path: string; arguments: readonly string[] },
  ports: Record<SignallingPlaceholder, number>,
): [string, ...string[]] => [
  path,
  ...templates.map((template) =>
    template.replace(PLACEHOLDER, (text, name: string) =>
      Object.hasOwn(ports, name) ? String(ports[name as SignallingPlaceholder]) : text,
    ),
  ),
];

/** The variables that a child inherits from the agent; everything else comes from the app's own configuration. */
const inherited = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'DISPLAY',
  'XAUTHORITY',
  'WAYLAND_DISPLAY',
  'XDG_RUNTIME_DIR',
  'LD_LIBRARY_PATH',
  'VK_ICD_FILENAMES',
  'VK_DRIVER_FILES',
  'CUDA_VISIBLE_DEVICES',
  'NVIDIA_VISIBLE_DEVICES',
  'NVIDIA_DRIVER_CAPABILITIES',
  'SystemRoot',
  'SystemDrive',
  'windir',
  'ComSpec',
  'PATHEXT',
  'OS',
  'TEMP',
  'TMP',
  'ALLUSERSPROFILE',
  'ProgramData',
  'PUBLIC',
  'USERNAME',
  'USERDOMAIN',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
  'APPDATA',
  'LOCALAPPDATA',
  'COMPUTERNAME',
  'LOGONSERVER',
  'SESSIONNAME',
  'ProgramFiles',
  'ProgramFiles(x86)',
  'ProgramW6432',
  'CommonProgramFiles',
  'CommonProgramFiles(x86)',
  'CommonProgramW6432',
  'NUMBER_OF_PROCESSORS',
  'PROCESSOR_ARCHITECTURE',
  'PROCESSOR_IDENTIFIER',
  'PROCESSOR_LEVEL',
  'PROCESSOR_REVISION',
];

const spelled = new Map(inherited.map((name) => [name.toUpperCase(), name]));

/**
 * The part of the agent's environment that its children get: no key, no token, nothing that was meant for the agent. Letters of
 * either case are the same, as on Windows, which says "Path" where this list says "PATH".
 */
export const baseEnvironment = (env: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => {
      const known = spelled.get(name.toUpperCase());
      return known === undefined || value === undefined ? [] : [[known, value]];
    }),
  );
