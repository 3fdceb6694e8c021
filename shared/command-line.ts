import { manual, overview, visible } from './command-help.ts';
import type { Answer, Asked, Command, CommandLine, Commands, Flag, Given, Handlers } from './commands.ts';
import { nearest } from './nearest.ts';

/** The command line cannot be understood: why. */
class Misused extends Error {}

const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

const meant = (typed: string, names: readonly string[], dashes = ''): string => {
  const name = nearest(typed, names);
  return name === undefined ? '' : ` Did you mean ${dashes}${name}?`;
};

const isHelp = (arg: string | undefined): boolean => arg === '--help' || arg === '-h';
const isVersion = (arg: string | undefined): boolean => arg === '--version' || arg === '-v';

/** There is no such flag: the nearest that this command has, or the command that it belongs to. */
const unknownFlag = (line: CommandLine, name: string, { flags }: Command, typed: string): Misused => {
  const bare = typed.replace(/^-+/, '');
  const owners = visible(line).filter(([, other]) => own(other.flags, bare) !== undefined);
  const belongs =
    owners.length === 0 ? '' : ` It belongs to ${owners.map(([owner]) => `"${owner}"`).join(', ')}.`;
  return new Misused(
    `"${name}" has no flag ${typed}.${belongs}${meant(bare, [...Object.keys(flags), 'help', 'version'], '--')}`,
  );
};

interface Scanned {
  readonly words: string[];
  readonly flags: Map<string, (string | boolean)[]>;
  rest: string[];
  wants: 'help' | 'version' | undefined;
  problem: Misused | undefined;
}

/** Takes one flag, and its value from the argument behind it; how many arguments that were. */
const takeFlag = (line: CommandLine, name: string, command: Command, args: string[], found: Scanned) => {
  const [arg = '', next] = args;
  const [, typed = arg, inline] = /^([^=]+)(?:=([\s\S]*))?$/.exec(arg) ?? [];
  const letter = Object.entries(command.flags).find(([, { short }]) => typed === `-${short}`)?.[0];
  const flag = letter ?? (typed.startsWith('--') ? typed.slice(2) : '');
  const kind = own(command.flags, flag)?.kind;
  if (kind === undefined) {
    found.problem ??= unknownFlag(line, name, command, typed);
    return 1;
  }
  const all = found.flags.get(flag) ?? [];
  found.flags.set(flag, all);
  if (kind === 'toggle') {
    if (inline !== undefined) found.problem ??= new Misused(`--${flag} takes no value.`);
    all.push(true);
    return 1;
  }
  if (inline === undefined && (next === undefined || /^-./.test(next))) {
    const dash = next === undefined ? '' : ` One that begins with a dash is written --${flag}=${next}`;
    found.problem ??= new Misused(`--${flag} needs a value.${dash}`);
    return 1;
  }
  all.push(inline ?? next ?? '');
  return inline === undefined ? 2 : 1;
};

/** What stands behind a command, not yet checked. */
const scan = (line: CommandLine, name: string, command: Command, args: readonly string[]): Scanned => {
  const found: Scanned = {
    words: [],
    flags: new Map(),
    rest: [],
    wants: undefined,
    problem: undefined,
  };
  const places = Object.values(command.words ?? {});
  let literal = false;
  for (let at = 0; at < args.length; ) {
    if (command.rest !== undefined && found.words.length === places.length) {
      found.rest = args.slice(args[at] === '--' ? at + 1 : at);
      break;
    }
    const arg = args[at] ?? '';
    const place = places[found.words.length];
    if (arg === '--' && !literal) literal = true;
    else if (literal || !/^-./.test(arg) || place?.dashed?.test(arg) === true) found.words.push(arg);
    else if (isHelp(arg)) found.wants = 'help';
    else if (isVersion(arg)) found.wants ??= 'version';
    else {
      at += takeFlag(line, name, command, args.slice(at), found);
      continue;
    }
    at += 1;
  }
  return found;
};

/** The value by its schema; Misused says what is wrong with it, or that it is missing. */
const checked = (shown: string, part: Pick<Flag, 'about' | 'schema'>, given: unknown): unknown => {
  const parsed = part.schema.safeParse(given);
  if (parsed.success) return parsed.data;
  if (given === undefined) throw new Misused(`${shown} is missing: ${part.about}.`);
  throw new Misused(`${shown} ${parsed.error.issues[0]?.message ?? 'is wrong'}.`);
};

const givenOf = (command: Command, { words, flags, rest }: Scanned): Record<string, unknown> => {
  const places = Object.entries(command.words ?? {});
  const extra = words[places.length];
  if (extra !== undefined) throw new Misused(`"${extra}" is one word too many.`);
  return Object.fromEntries([
    ...places.map(([name, word], at) => [name, checked(word.shows, word, words[at])]),
    ...Object.entries(command.flags).map(([name, flag]) => {
      const all = flags.get(name);
      const given = flag.kind === 'values' ? all : all?.at(-1);
      return [name, checked(`--${name}${given === undefined ? ` ${flag.shows}` : ''}`, flag, given)];
    }),
    ...(command.rest === undefined ? [] : [['rest', rest]]),
  ]);
};

/** The command that the first words name, and what stands behind them. */
const commandOf = ({ commands }: CommandLine, args: readonly string[]) => {
  for (const length of [2, 1]) {
    const typed = args.slice(0, length).join(' ');
    const found = Object.entries(commands).find(([name, { also = [] }]) => [name, ...also].includes(typed));
    if (found !== undefined) return { name: found[0], command: found[1], behind: args.slice(length) };
  }
  return undefined;
};

/** No command: help, the version, or why it is none. */
const withoutCommand = (line: CommandLine, [first = '', second, ...more]: readonly string[]): Answer => {
  const names = visible(line).flatMap(([name, { also = [] }]) => [name, ...also]);
  const members = names.filter((name) => name.startsWith(`${first} `));
  const extra = more[0] ?? (isHelp(second) || isVersion(second) ? undefined : second);
  if (isHelp(first) || (first === 'version' && isHelp(second))) return { text: overview(line), code: 0 };
  if (isVersion(first) || (first === 'version' && extra === undefined))
    return { text: line.version, code: 0 };
  if (first === '') return { text: overview(line), code: 2 };
  if (first === 'version') throw new Misused(`"${extra}" is one word too many.`);
  if (members.length > 0) {
    if (isHelp(second)) return { text: overview(line, first), code: 0 };
    if (isVersion(second)) return { text: line.version, code: 0 };
    const typed = second === undefined ? '' : ` "${first} ${second}" is none of them.`;
    const near = second === undefined ? '' : meant(`${first} ${second}`, members);
    throw new Misused(`The commands are ${members.join(', ')}.${typed}${near}`);
  }
  if (first.startsWith('-')) throw new Misused(`The command comes first, then its flags: not "${first}".`);
  throw new Misused(`There is no command "${first}".${meant(first, [...names, 'help', 'version'])}`);
};

/**
 * What a command line asks for: a command with what it was given, checked; or what to print instead of it. Never throws.
 * `help COMMAND` is `COMMAND --help`; unknown commands and flags are errors that name the nearest.
 */
export const understand = <C extends Commands>(
  line: CommandLine<C>,
  args: readonly string[],
): Asked<C> | Answer => {
  let [asking, ...words] = args;
  if (asking === 'help') {
    words = words.filter((word) => !isHelp(word) && word !== 'help');
    return understand(line, [...words, '--help']);
  }
  const found = commandOf(line, args);
  asking = found?.name ?? '';
  try {
    if (found === undefined) return withoutCommand(line, args);
    const { name, command, behind } = found;
    const scanned = scan(line, name, command, behind);
    if (scanned.wants === 'help') return { text: manual(line, name, command), code: 0 };
    if (scanned.wants === 'version') return { text: line.version, code: 0 };
    if (scanned.problem !== undefined) throw scanned.problem;
    return { name, given: givenOf(command, scanned) } as Asked<C>;
  } catch (error) {
    if (!(error instanceof Misused)) throw error;
    const help = [line.name, 'help', ...(asking === '' ? [] : [asking])].join(' ');
    return { text: `${error.message}\n"${help}" shows how.`, code: 2 };
  }
};

/** Runs the handler of the command that was asked for. */
export const handle = <C extends Commands, Context extends unknown[]>(
  handlers: Handlers<C, Context>,
  { name, given }: Asked<C>,
  ...context: Context
): number | Promise<number> => handlers[name](given as Given<C[typeof name]>, ...context);
