import { z } from 'zod';
import { channel_limits } from '../shared/channel-state.ts';
import { engineProblem } from '../shared/engine.ts';
import { turnUrlSchema } from '../shared/ice-server.ts';
import { limits } from '../shared/limits.ts';
import { wholeNumberSchema } from '../shared/protocol/names.ts';

/** In files that other programs wrote, flags and numbers may stand as texts and texts as numbers. */
const flags: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  false: false,
  no: false,
  off: false,
};
const flag = (help: string) =>
  z
    .preprocess(
      (value) => (typeof value === 'string' ? (flags[value.toLowerCase()] ?? value) : value),
      z.boolean('must be true or false'),
    )
    .default(false)
    .describe(help);
const text = (standard: string, help: string) =>
  z
    .preprocess((value) => (typeof value === 'number' ? String(value) : value), z.string('must be a text'))
    .default(standard)
    .describe(help);
const whole = (standard: number, min: number, max: number, help: string) =>
  wholeNumberSchema(min, max).default(standard).describe(help);
const port = (standard: number, help: string) => whole(standard, 0, 65_535, help);
const portOrNone = (standard: number | '', help: string) =>
  z
    .union([z.literal(''), wholeNumberSchema(0, 65_535)], 'must be a port from 0 to 65535, or empty')
    .default(standard)
    .describe(help);
const level = (help: string) =>
  z
    .enum(['debug', 'info', 'warning', 'error'])
    .default('info')
    .describe(`${help}: debug, info, warning or error`);
/** In the configuration file an array or, as on the command line, one text with commas. */
const list = (help: string, word: z.ZodType<string, string> = z.string()) =>
  z
    .union(
      [z.array(z.string()), z.string().transform((words) => words.split(','))],
      'must be a list of texts, or one text with commas',
    )
    .transform((words) => words.map((each) => each.trim()).filter((each) => each !== ''))
    .pipe(z.array(word))
    .default([])
    .describe(help);

/** As browsers write it: without a path, small letters. */
const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin !== 'null',
    'must be a site, like https://example.org',
  )
  .transform((text) => new URL(text).origin);

/**
 * Every option, on the command line and in the configuration file alike: name, kind, standard value and the text of
 * `--help`. Names and meanings are those of Epic's server where it has the option.
 */
export const optionsSchema = z.strictObject({
  no_config: flag('Do not read a configuration file, even if one is named'),
  config_file: text('', 'JSON file with any of these options; the command line wins'),
  save: flag('Write the options in force to the configuration file, then go on'),
  log_config: flag('Log the options in force, without secrets'),
  log_folder: text('', 'Folder for a daily log file beside standard output; kept for 14 days'),
  log_level_console: level('Least level on standard output'),
  log_level_file: level('Least level in the log file'),
  console_messages: z
    .preprocess(
      (value) => (value === true ? 'basic' : value === false ? '' : value),
      z.enum(['', 'basic', 'verbose', 'formatted']),
    )
    .default('')
    .describe('Log every protocol message: basic (its type), verbose (as text), formatted (as JSON)'),
  stdin: flag('Take commands from standard input; h lists them'),
  bind: text('', 'Address that all ports listen on; without one all of the machine, IPv4 and IPv6'),
  streamer_port: port(8888, 'Port for streamers (Unreal)'),
  player_port: port(80, 'Port for players (browsers)'),
  sfu_port: portOrNone(8889, 'Port for SFUs; --sfu_port= for none'),
  peer_port: portOrNone('', 'Port for peer channels, which are at /peers on the player port as well'),
  redis_url: text(
    '',
    'redis:// address that keeps the peer channels and joins processes; without it all of them end with the process',
  ),
  peer_broadcast_token: text('', 'Token with which a peer may broadcast; without one nobody may'),
  peer_broadcast_token_file: text('', 'Broadcast tokens from a file, one on each line'),
  peer_names_per_network: whole(500, 1, 5_000, 'Peers, and connections of peers, that one network may have'),
  peer_channels_per_network: whole(
    100,
    1,
    2_000,
    'Peer channels that the peers of one network may have made',
  ),
  peer_new_names_per_minute: whole(
    300,
    1,
    100_000,
    'New names that one network may take, at once and in a minute',
  ),
  peer_joins_per_minute: whole(
    600,
    1,
    100_000,
    'Joins of peer channels by one network, at once and in a minute',
  ),
  peer_wrong_tokens_per_minute: whole(
    20,
    1,
    100_000,
    'Wrong tokens of peers of one network, at once and in a minute; then tokens are not looked at',
  ),
  peer_commands_per_second: whole(500, 1, 100_000, 'Commands of all peers of one network'),
  max_players: whole(0, 0, 1_000_000, 'Players for each streamer; 0 = no limit'),
  player_keepalive_timeout: z
    .union([z.literal(''), wholeNumberSchema(0, 86_400_000)], 'must be milliseconds up to a day, or empty')
    .default('')
    .describe('The same as --keepalive_seconds in milliseconds, for players alone; 0 = never'),
  legacy_auto_subscribe: flag(
    'Attach players that never subscribe to the first streamer: pages of UE 4.27 offer, those of 5.0 and 5.1 say nothing for 3 s',
  ),
  engine: z
    .string()
    .superRefine((engine, context) => {
      const problem = engine === '' ? undefined : engineProblem(engine);
      if (problem !== undefined) context.addIssue(problem);
    })
    .default('')
    .describe(
      'Unreal version of streamers that tell no protocol version (4.27, 5.0, 5.4): what they may be sent',
    ),
  serve: flag('Serve web pages on the player port'),
  http_root: text('www', 'Folder of the pages'),
  homepage: text('player.html', 'Page at /'),
  https: flag('TLS for pages and players'),
  https_port: port(443, 'Port for both then; on the command line it implies --https'),
  ssl_key_path: text('certificates/client-key.pem', 'Private key, PEM'),
  ssl_cert_path: text('certificates/client-cert.pem', 'Certificate, PEM'),
  https_redirect: flag('With --https: send browsers from the player port to the HTTPS port'),
  rest_api: flag('Serve /api: status, config, streamers, players'),
  metrics: flag('Serve /metrics for Prometheus'),
  cors: flag('Let pages of other sites read pages and /api'),
  cors_allowed_origins: list('These sites only, with commas; empty = all', origin),
  cors_allowed_methods: list('Methods, with commas; empty = those there are'),
  cors_allowed_headers: list('Request headers, with commas; empty = those asked for'),
  cors_credentials: flag('Let them send cookies; needs --cors_allowed_origins'),
  reverse_proxy: flag('Take the address of a peer from X-Forwarded-For'),
  reverse_proxy_num_proxies: whole(1, 1, 10, 'Proxies in front of the server'),
  peer_options: z
    .union(
      [z.string(), z.looseObject({}).transform((object) => JSON.stringify(object))],
      'must be an object, or its JSON in a text',
    )
    .default('')
    .describe('JSON of the RTCConfiguration that goes to every peer'),
  peer_options_file: text('', 'The same from a file; wins over --peer_options'),
  turn_urls: list('turn: and turns: addresses, with commas; needs --turn_secret', turnUrlSchema),
  turn_secret: text(
    '',
    "coturn's static-auth-secret: every connection gets a credential of its own, for --turn_urls and for turn: addresses in the peer options",
  ),
  turn_secret_file: text('', 'The same from a file'),
  turn_ttl: whole(3_600, 60, 604_800, "Seconds that a player's TURN credential is valid"),
  player_token: text('', 'Token that players must show: ?token=... or Authorization: Bearer ...'),
  player_token_file: text('', 'Player tokens from a file, one on each line'),
  streamer_token: text('', 'Token that streamers must show; whoever shows it again gets its id back'),
  streamer_token_file: text('', 'Streamer tokens from a file, one on each line'),
  sfu_token: text('', 'Token that SFUs must show'),
  sfu_token_file: text('', 'SFU tokens from a file, one on each line'),
  allowed_origins: list(
    'Sites whose pages may connect, with commas (https://example.org); empty = all',
    origin,
  ),
  refuse_pages: flag(
    'Let no web page connect: who sends an Origin is refused, but for the one that Unreal sends from this machine to the streamer port',
  ),
  player_grace_seconds: whole(
    channel_limits.window_ms / 1_000,
    0,
    3_600,
    'How long a player that a session agent admitted is kept after its socket broke',
  ),
  max_frame_bytes: whole(
    limits.frame_bytes,
    1_024,
    1_048_576,
    'Largest message; a larger one closes the socket',
  ),
  max_messages_per_second: whole(
    limits.messages_per_second,
    1,
    1_000_000,
    'Sustained messages of one player; streamers and SFUs may send a hundred times as many',
  ),
  keepalive_seconds: whole(
    limits.link_silence_ms / 1_000,
    5,
    3_600,
    'Silence after which a peer, pinged in between, is given up',
  ),
});

export type Options = z.infer<typeof optionsSchema>;
export type OptionName = keyof Options;

/** How many proxies stand in front of the server, each of which says where it was called from. */
export const trustedProxies = ({ reverse_proxy, reverse_proxy_num_proxies }: Options): number =>
  reverse_proxy ? reverse_proxy_num_proxies : 0;

/** What an option is when nobody sets it. */
export const standards: Options = optionsSchema.parse({});

export const optionNames = Object.keys(standards) as OptionName[];

const secretNames: readonly OptionName[] = [
  'turn_secret',
  'player_token',
  'streamer_token',
  'sfu_token',
  'redis_url',
  'peer_broadcast_token',
  'peer_options',
];

const secretFileNames = [
  'turn_secret_file',
  'player_token_file',
  'streamer_token_file',
  'sfu_token_file',
  'peer_broadcast_token_file',
  'peer_options_file',
  'ssl_key_path',
] as const satisfies readonly OptionName[];

/** The files that hold secrets: the named ones, and the configuration file when there are secrets at all. */
export const secretFiles = (options: Options): string[] => {
  const own = secretNames.some((name) => options[name] !== '') ? [options.config_file] : [];
  const named = [...secretFileNames.map((name) => options[name]), ...own];
  return [...new Set(named.filter((file) => file !== ''))];
};

/** The options as others may see them. Peer options hold TURN credentials. */
export const withoutSecrets = (options: Options): Record<string, unknown> =>
  Object.fromEntries(
    optionNames.map((name) => [
      name,
      secretNames.includes(name) && options[name] !== '' ? '[secret]' : options[name],
    ]),
  );

/** What `--save` writes: all but what only concerns this start. */
export const savedOptions = ({ no_config, config_file, save, ...options }: Options): Partial<Options> =>
  options;

const shown = (value: unknown): string => (value === false ? '' : String(value));

/** The text of `--help`. */
export const helpText = (): string => {
  const lines = optionNames.map((name) => {
    const standard = shown(standards[name]);
    const usage = typeof standards[name] === 'boolean' ? `--${name}` : `--${name} <value>`;
    const help = optionsSchema.shape[name].description ?? '';
    return `  ${usage.padEnd(38)} ${help}${standard === '' ? '' : ` [${standard}]`}`;
  });
  return [
    'Pixel Streaming signalling server.',
    '',
    'Options:',
    ...lines,
    `  ${'--help, -h'.padEnd(38)} This text`,
    `  ${'--version, -v'.padEnd(38)} The version`,
    '',
    'In the environment:',
    '  SIGNALLING_ADMISSION_SECRET   Players must show a token signed with it',
    '  SIGNALLING_STREAMER_TOKEN     --streamer_token, out of sight of other users of the machine',
    '  SIGNALLING_PEER_OPTIONS       --peer_options, out of sight of other users of the machine',
    '',
  ].join('\n');
};
