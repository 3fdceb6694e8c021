import { isEpicFlag, optionName, type Raw, unknownName } from './epic-options.ts';
import { type OptionName, standards } from './options.ts';

/** What the arguments say by the names that stand there, and what they ask for instead of a server. */
export interface CommandLine {
  readonly raw: Raw;
  readonly asks: 'help' | 'version' | undefined;
  readonly problems: string[];
}

const isFlag = (name: string): boolean | undefined => {
  const standard = Object.hasOwn(standards, name) ? standards[name as OptionName] : undefined;
  return standard === undefined ? isEpicFlag(name) : typeof standard === 'boolean';
};

const asked: Record<string, CommandLine['asks']> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
  '-V': 'version',
};

/**
 * `--name value`, `--name=value`, `--flag`, `--flag=false` and `--no-flag`, in any spelling of the names; of two the last
 * counts. `--console_messages` may stand alone, too: then it is `true`. `help` and `version` may stand first. Whether the values fit is for others to say.
 */
export const commandLine = (args: readonly string[]): CommandLine => {
  const raw: Raw = {};
  const problems: string[] = [];
  let asks: CommandLine['asks'];
  const rest = args.filter((arg) => arg !== '--');
  const first = rest[0] === 'help' || rest[0] === 'version' ? rest[0] : undefined;
  /** The next argument if it is a value. */
  const value = (fits: (next: string) => boolean): string | undefined =>
    rest[0] !== undefined && fits(rest[0]) ? rest.shift() : undefined;

  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    asks ??= asked[arg];
    if (asked[arg] !== undefined) continue;
    const [, written = '', inline] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const name = optionName(written);
    const positive = name.replace(/^no_/, '');
    if (written === '') problems.push(`unexpected '${arg}': options begin with --`);
    else if (isFlag(name) === true)
      raw[written] = inline ?? value((next) => /^(true|false)$/i.test(next)) ?? true;
    else if (isFlag(name) === false) {
      const said = inline ?? value((next) => !next.startsWith('--'));
      if (said === undefined && name !== 'console_messages') problems.push(`--${written}: needs a value`);
      else raw[written] = said ?? true;
    } else if (isFlag(positive) === true && inline === undefined) raw[positive] = false;
    else problems.push(`unknown option '--${written}': ${unknownName(written)}`);
  }
  return { raw, asks: first ?? asks, problems };
};
