import type { Command, CommandLine, Flag } from './commands.ts';

const needsOne = ({ schema }: Pick<Flag, 'schema'>): boolean => !schema.safeParse(undefined).success;

const optionally = (shown: string, part: Pick<Flag, 'schema'>): string =>
  needsOne(part) ? shown : `[${shown}]`;

const spelled = (name: string, { shows, short }: Flag): string =>
  `${short === undefined ? '' : `-${short}, `}--${name}${shows === '' ? '' : ` ${shows}`}`;

const flagsOf = ({ flags }: Command): string[] =>
  Object.entries(flags).map(([name, flag]) => {
    const shown = optionally(`--${name}${flag.shows === '' ? '' : ` ${flag.shows}`}`, flag);
    return flag.kind === 'values' ? `${shown}...` : shown;
  });

const wordsOf = ({ words = {}, rest = '' }: Command): string[] => [
  ...Object.values(words).map((word) => optionally(word.shows, word)),
  ...(rest === '' ? [] : [rest]),
];

/** "enrol NAME [--app APP]...": flags stand before words that end in a rest, which takes all. */
const usage = (name: string, command: Command): string => {
  const [words, flags] = [wordsOf(command), flagsOf(command)];
  return [name, ...(command.rest === undefined ? [...words, ...flags] : [...flags, ...words])].join(' ');
};

const columns = (rows: readonly (readonly [left: string, right: string])[]): string[] => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
};

const own_flags = [
  ['-h, --help', 'print this'],
  ['-v, --version', 'print the version'],
] as const;

/** The commands that people type. */
export const visible = ({ commands }: CommandLine): [name: string, command: Command][] =>
  Object.entries(commands).filter(([, { hidden }]) => hidden !== true);

/** The help of the program, or of those of its commands that begin with a word. */
export const overview = (line: CommandLine, group = ''): string => {
  const rows = visible(line).filter(([name]) => group === '' || name.startsWith(`${group} `));
  return [
    ...(group === '' ? [`${line.name}: ${line.about}`, ''] : []),
    `Usage: ${line.name} COMMAND [FLAGS]`,
    '',
    ...columns([
      ...rows.map(([name, command]) => [[name, ...wordsOf(command)].join(' '), command.about] as const),
      ...(group === ''
        ? ([
            ['help [COMMAND]', 'print this, or all about a command; --help or -h behind it does the same'],
            ['version', 'print the version, as --version or -v does'],
          ] as const)
        : []),
    ]),
  ].join('\n');
};

/** All about one command. */
export const manual = ({ name: program }: CommandLine, name: string, command: Command): string =>
  [
    `Usage: ${program} ${usage(name, command)}`,
    '',
    `${command.about}${command.also === undefined ? '' : ` (also: ${command.also.join(', ')})`}`,
    '',
    ...columns([
      ...Object.values(command.words ?? {}).map(({ shows, about }) => [shows, about] as const),
      ...Object.entries(command.flags).map(([flag, each]) => [spelled(flag, each), each.about] as const),
      ...own_flags,
    ]),
  ].join('\n');
