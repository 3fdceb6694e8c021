import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dir, '..', '..');

/** The words of a shell's line, as far as documentation goes: quotes, what ends a command, and a checksum that is cut short. */
const wordsOf = (line: string): string[] => {
  const command = line.replace(/\s(#|>|&&|\|).*$/, '').replace(/;\s*done$/, '');
  return [...command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/["']/g, '').replace(/^[0-9a-f]{4}\.\.\.$/, '0'.repeat(64)),
  );
};

/** What README and docs tell people to type to the program, each as the arguments behind its name. */
export const writtenCommands = (program: string): string[][] => {
  const typed = new RegExp(`(?:^ *|-- )${program} (.*)$`);
  return ['README.md', 'docs/operations.md', 'docs/accounts.md']
    .map((file) => readFileSync(join(root, file), 'utf8').split(/^ *```.*$/m))
    .flatMap((parts) => parts.filter((_, at) => at % 2 === 1))
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => typed.exec(line)?.[1] ?? [])
    .map(wordsOf);
};

/** A `json` block of README. */
export const readmeJson = (): string => {
  const [, block] = /```json\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  if (block === undefined) throw new Error('README has no json');
  return block;
};
