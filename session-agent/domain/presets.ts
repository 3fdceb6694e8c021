import { engineNumber, engineProblem, onlyAnswers } from '../../shared/engine.ts';

/** What of an app's configuration makes its command line. */
export interface LaunchApp {
  /** "4.27", "5.7": adds what that engine's Pixel Streaming wants. */
  engine?: string | undefined;
  /** Pixel Streaming 1 or 2; by default the newer one that the engine has. */
  plugin?: 1 | 2 | undefined;
  arguments: readonly string[];
}

const first_with_plugin_2 = engineNumber('5.5');
const first_with_connection_url = engineNumber('5.7');

/** Each says where the streamer connects; Unreal is given exactly one, or the pair of address and port. */
const url_flags = ['pixelstreamingurl', 'pixelstreamingsignallingurl', 'pixelstreamingconnectionurl'];
const address_flags = ['pixelstreamingip', 'pixelstreamingport'];
const connection_flags = [...url_flags, ...address_flags];

/** "-ResX=800" and "-resx" are the same flag to Unreal; undefined for a map's name and the like. */
const flagName = (argument: string): string | undefined =>
  /^[-/]*([A-Za-z]\w*)(?=[=:\s]|$)/.exec(argument)?.[1]?.toLowerCase();

const flagNames = (templates: readonly string[]): string[] =>
  templates.flatMap((template) => flagName(template) ?? []);

const connection = ['-PixelStreamingURL={streamer_url}', '-PixelStreamingID={streamer_id}'];

/** Renders without a window, at a fixed size, without a sound card, and asks nobody anything. */
const headless = [
  ...['-RenderOffscreen', '-ForceRes', '-ResX={width}', '-ResY={height}'],
  ...['-AudioMixer', '-Unattended'],
];

/** Of the preset what the app does not say itself. */
const withoutRepeats = (preset: readonly string[], own: readonly string[]): string[] => {
  const said = flagNames(own);
  if (said.some((name) => connection_flags.includes(name))) said.push(...connection_flags);
  return preset.filter((argument) => !said.includes(flagName(argument) ?? ''));
};

/**
 * The app's argument templates with what its engine needs. `pinned` says that the host's cards are listed, so that
 * the engine is told which one to draw on. The app's own arguments follow, and replace the preset's of the same name.
 * Without an engine only the connection is added, and only when no argument asks for it.
 */
export const presetArguments = ({ engine, plugin, arguments: own }: LaunchApp, pinned: boolean): string[] => {
  if (engine === undefined) {
    const connected = own.some((template) => /\{streamer_(url|port)\}/.test(template));
    return connected ? [...own] : [...own, ...withoutRepeats(connection, own)];
  }
  const renamed = engineNumber(engine) >= first_with_connection_url && plugin !== 1;
  const preset = [
    ...headless,
    ...(pinned ? ['-graphicsadapter={gpu}'] : []),
    ...(renamed
      ? connection.map((argument) => argument.replace('-PixelStreamingURL', '-PixelStreamingConnectionURL'))
      : connection),
  ];
  return [...withoutRepeats(preset, own), ...own];
};

/** An app, and whether another signalling server than ours is to serve it. */
interface ServedApp extends LaunchApp {
  signalling?: object | undefined;
}

/** What is wrong in an app's configuration, and where. */
export interface ArgumentProblem {
  path: (string | number)[];
  message: string;
}

const engineProblems = ({ engine, plugin, signalling }: ServedApp): ArgumentProblem[] => {
  const found = (key: string, message: string) => [{ path: [key], message }];
  if (engine === undefined) return plugin === undefined ? [] : found('plugin', 'goes with "engine"');
  const problem = engineProblem(engine);
  if (problem !== undefined) return found('engine', problem);
  if (signalling !== undefined && onlyAnswers(engine)) {
    return found(
      'engine',
      `${engine} cannot be shown through another signalling server than ours, which tells the page to make the offer`,
    );
  }
  return plugin === 2 && engineNumber(engine) < first_with_plugin_2
    ? found('plugin', `Pixel Streaming 2 begins with engine 5.5, not ${engine}`)
    : [];
};

/** Lets a visitor's page run console commands, or runs some at the start. */
const DANGEROUS = /execcmds|allowpixelstreamingcommands/i;
/** May not carry what the coordinator says, not even a plain word. */
const STEERABLE = /execcmds|^[-/]*ini:/i;

const dangerProblem = (argument: string, allow_dangerous: boolean): string | undefined => {
  if (STEERABLE.test(argument) && /\{(session_id|language)\}/.test(argument)) {
    return 'must not hold {session_id} or {language}: they come from the coordinator';
  }
  return DANGEROUS.test(argument) && !allow_dangerous
    ? 'lets commands into the app; with "allow_dangerous": true it is passed on all the same'
    : undefined;
};

const connectionProblem = (argument: string, names: readonly string[]): string | undefined => {
  const name = flagName(argument) ?? '';
  if (!connection_flags.includes(name)) return undefined;
  const others = names.filter((other) => connection_flags.includes(other) && other !== name);
  const pair = address_flags.includes(name) && others.every((other) => address_flags.includes(other));
  const repeated = names.filter((other) => other === name).length > 1;
  if (repeated || (others.length > 0 && !pair)) {
    return 'is one of several arguments that say where the streamer connects; keep one';
  }
  if (name === 'pixelstreamingip') {
    return names.includes('pixelstreamingport') ? undefined : 'goes with -PixelStreamingPort={streamer_port}';
  }
  return /\{streamer_(url|port)\}/.test(argument)
    ? undefined
    : 'must take {streamer_url} or {streamer_port}: each session has a port of its own';
};

/** What is wrong with an app's engine and arguments beyond single placeholders. */
export const argumentProblems = (
  app: ServedApp & { allow_dangerous: boolean },
  has_cards: boolean,
): ArgumentProblem[] => {
  const names = flagNames(app.arguments);
  const wrong = app.arguments.flatMap((argument, i) =>
    [
      dangerProblem(argument, app.allow_dangerous),
      connectionProblem(argument, names),
      argument.includes('{gpu}') && !has_cards ? '{gpu} needs "cards" in this file' : undefined,
    ].flatMap((message) => (message === undefined ? [] : [{ path: ['arguments', i], message }])),
  );
  return [...engineProblems(app), ...wrong];
};
