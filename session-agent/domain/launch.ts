import { type Refusal, refuse } from '../../shared/errors.ts';

/** What an app's arguments may ask for by name, as `{streamer_url}`. */
export const placeholders = ['streamer_url', 'streamer_id', 'session_id', 'width', 'height'] as const;
export type Placeholder = (typeof placeholders)[number];
export type LaunchValues = Record<Placeholder, string>;

const PLACEHOLDER = /\{([a-z_]+)\}/g;
/** A value can neither end an argument nor be anything but one plain word. */
const VALUE = /^[A-Za-z0-9_.:/-]{1,200}$/;

/** Names in braces that are no placeholder; a typing error in config.json. */
export const unknownPlaceholders = (argument: string): string[] =>
  [...argument.matchAll(PLACEHOLDER)].flatMap(([, name]) =>
    name === undefined || (placeholders as readonly string[]).includes(name) ? [] : [name],
  );

/**
 * The argument vector of an app: its configured arguments with the placeholders filled in; Unreal's own two when none of
 * them says where the streamer connects. A value that is not one plain word, or that would turn an argument into an option, is
 * refused: what the coordinator sends must not steer a launch.
 */
export const appArguments = (templates: readonly string[], values: LaunchValues): string[] | Refusal => {
  const own = templates.some((template) => template.includes('{streamer_url}'));
  const all = own
    ? templates
    : [...templates, '-PixelStreamingURL={streamer_url}', '-PixelStreamingID={streamer_id}'];
  const wrong = placeholders.find((name) => !VALUE.test(values[name]));
  if (wrong !== undefined) return refuse('malformed', `${wrong} is not a plain word`);
  const filled = all.map((template) =>
    template.replace(PLACEHOLDER, (text, name: string) => values[name as Placeholder] ?? text),
  );
  const steered = all.find((template, i) => template.startsWith('{') && filled[i]?.startsWith('-'));
  return steered === undefined ? filled : refuse('malformed', `${steered} would begin with "-"`);
};

/** The command of a signalling server that is not ours, with its ports filled in. */
export const signallingCommand = (
  signalling: { path: string; arguments: readonly string[] },
  ports: { player: number; streamer: number; sfu: number },
): [string, ...string[]] => {
  const values: Record<string, number> = {
    player_port: ports.player,
    streamer_port: ports.streamer,
    sfu_port: ports.sfu,
  };
  const fill = (argument: string) =>
    argument.replace(PLACEHOLDER, (text, name: string) => String(values[name] ?? text));
  return [signalling.path, ...signalling.arguments.map(fill)];
};

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
  'TEMP',
  'TMP',
  'USERNAME',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'ProgramData',
  'ProgramFiles',
  'NUMBER_OF_PROCESSORS',
  'PROCESSOR_ARCHITECTURE',
];

/** The part of the agent's environment that its children get: no key, no token, nothing that was meant for the agent. */
export const baseEnvironment = (env: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    inherited.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
