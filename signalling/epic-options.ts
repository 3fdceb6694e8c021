import { nearest } from '../shared/nearest.ts';
import { type OptionName, optionNames } from './options.ts';

/** Options by name, their values not yet checked. */
export type Raw = Record<string, unknown>;

/**
 * An option of one of Epic's servers that is none here. `says` gives it in our options, or the sentence that refuses it;
 * without it the option means nothing here.
 */
interface EpicOption {
  /** Stands alone on the command line. */
  readonly flag: boolean;
  /** Cirrus had it, the server of 4.27 to 5.4: a file with it is a file of that server. */
  readonly cirrus?: boolean;
  readonly says?: (value: unknown) => Raw | string;
}

const isOn = (value: unknown): boolean => !['false', 'undefined', ''].includes(String(value).toLowerCase());

const cirrus = (says?: EpicOption['says']): EpicOption => ({
  flag: false,
  cirrus: true,
  ...(says && { says }),
});
const cirrusFlag = (says?: (on: boolean) => Raw | string): EpicOption => ({
  flag: true,
  cirrus: true,
  ...(says && { says: (value) => says(isOn(value)) }),
});
const as =
  (name: OptionName) =>
  (value: unknown): Raw => ({ [name]: value });
const nothing: EpicOption = { flag: false };
const nothingAlone: EpicOption = { flag: true };
const script = (): string =>
  "is an option of Epic's start script; name the servers with --peer_options_file, or with --turn_urls and --turn_secret_file";

/** 4.27 to 5.1 name the page below the folder of the server, later versions below that of the pages. */
const homepage = (value: unknown): Raw => ({ homepage: String(value).replace(/^\/?(Public\/)?/, '') });

const playerLimit = (value: unknown): Raw | string => {
  if (Number(value) < 0) return {};
  return Number(value) > 0
    ? { max_players: value }
    : 'lets nobody in; write max_players, where 0 is no limit';
};

const authentication = (on: boolean): Raw | string =>
  on ? 'there is no login here; write player_token_file, or serve the players through a coordinator' : {};

/**
 * What Epic's servers took and this one does not: of Cirrus (config.js and cirrus.js of the branches 4.27 to 5.4), of
 * Wilbur (index.ts of 5.5 and later), and of the scripts that start them, which pass on what they do not know.
 */
const epicOptions: Record<string, EpicOption> = {
  http_port: cirrus(as('player_port')),
  max_player_count: cirrus(playerLimit),
  use_https: cirrusFlag((on) => ({ https: on, https_redirect: on })),
  https_cert_file: cirrus(as('ssl_cert_path')),
  https_key_file: cirrus(as('ssl_key_path')),
  enable_webserver: cirrusFlag((on) => ({ serve: on })),
  homepage_file: cirrus(homepage),
  log_to_file: cirrusFlag((on) => ({ log_folder: on ? 'logs' : '' })),
  log_verbose: cirrusFlag((on) => ({ console_messages: on ? 'verbose' : 'basic' })),
  peer_connection_options: cirrus(as('peer_options')),
  use_authentication: cirrusFlag(authentication),
  use_frontend: cirrusFlag(),
  frontend_url: cirrus(),
  additional_routes: cirrus(),
  disable_ssl_cert: cirrusFlag(),
  use_matchmaker: cirrusFlag(),
  matchmaker_retry_interval: cirrus(),
  matchmaker: nothingAlone,
  matchmaker_address: nothing,
  matchmaker_port: nothing,
  matchmaker_retry: nothing,
  matchmaker_keepalive: nothing,
  public_ip: nothing,
  publicip: nothing,
  no_save: nothingAlone,
  frontend_dir: nothing,
  debug: nothingAlone,
  nosudo: nothingAlone,
  verbose: nothingAlone,
  dev: nothingAlone,
  build: nothingAlone,
  rebuild: nothingAlone,
  build_libraries: nothingAlone,
  build_wilbur: nothingAlone,
  deps: nothingAlone,
  stun: { flag: false, says: script },
  turn: { flag: false, says: script },
  turn_user: { flag: false, says: script },
  turn_pass: { flag: false, says: script },
  start_turn: { flag: true, says: script },
};

const known = (table: object, name: string): boolean => Object.hasOwn(table, name);
const isOurs = (name: string): name is OptionName => (optionNames as string[]).includes(name);

/** The name of an option however it is written: `HTTPSKeyFile`, `reverse-proxy` and `reverseProxy` stand in use. */
export const optionName = (written: string): string =>
  written
    .replaceAll('-', '_')
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();

/** Whether one of Epic's options stands alone on the command line; undefined for what is none of them. */
export const isEpicFlag = (name: string): boolean | undefined =>
  known(epicOptions, name) ? epicOptions[name]?.flag : undefined;

/** What is wrong with a name that nobody knows. */
export const unknownName = (written: string): string => {
  const useful = Object.keys(epicOptions).filter((name) => epicOptions[name]?.says !== undefined);
  const near = nearest(optionName(written), [...optionNames, ...useful]);
  return near === undefined ? 'see --help for those that there are' : `the nearest name is ${near}`;
};

/** Options as somebody wrote them, in our words. `written` is what stands there, so that others find it again. */
export interface Understood {
  readonly values: Raw;
  /** How each of our options was written. */
  readonly written: Record<string, string>;
  readonly warnings: { readonly written: string; readonly text: string }[];
  readonly problems: { readonly written: string; readonly text: string }[];
  /** It is in the words of Epic's server of 4.27 to 5.4. */
  readonly cirrus: boolean;
}

/** Takes options in any spelling and of any of Epic's servers. Where two say the same, the one spelled as here counts. */
export const understood = (raw: Raw): Understood => {
  const answer = {
    values: {} as Raw,
    written: {} as Record<string, string>,
    warnings: [] as { written: string; text: string }[],
    problems: [] as { written: string; text: string }[],
    cirrus: false,
  };
  const take = (values: Raw, written: string): void => {
    for (const [name, value] of Object.entries(values)) {
      if (answer.written[name] === name) continue;
      answer.values[name] = value;
      answer.written[name] = written;
    }
  };
  for (const [written, value] of Object.entries(raw)) {
    const name = optionName(written);
    const epic = known(epicOptions, name) ? epicOptions[name] : undefined;
    if (isOurs(name)) take({ [name]: value }, written);
    else if (epic === undefined) {
      answer.problems.push({ written, text: `is no option; ${unknownName(written)}` });
    } else {
      answer.cirrus ||= epic.cirrus === true;
      const says = epic.says?.(value);
      if (typeof says === 'string') answer.problems.push({ written, text: says });
      else if (says === undefined) {
        answer.warnings.push({ written, text: "is an option of Epic's server and means nothing here" });
      } else take(says, written);
    }
  }
  return answer;
};
