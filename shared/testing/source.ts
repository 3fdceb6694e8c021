import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One committed file. `code` is `text` with comments and the insides of strings blanked: same length, same lines. */
export interface Source {
  path: string;
  text: string;
  code: string;
}

export interface Import {
  specifier: string;
  line: number;
}

/** A broken rule: where, and what to do about it. */
export interface Violation {
  path: string;
  line: number;
  text: string;
}

/** Before these a slash starts a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+]|=>|\breturn)$/;

const tokenEnd = (text: string, at: number, before: string): number | undefined => {
  const rest = text.slice(at);
  const match =
    /^\/\/.*/.exec(rest) ??
    /^\/\*[\s\S]*?\*\//.exec(rest) ??
    /^(['"])(?:\\.|(?!\1)[^\\\n])*\1/.exec(rest) ??
    /^`(?:\\[\s\S]|\$\{(?:[^`{}]|\{[^{}]*\}|`[^`]*`)*\}|[^`\\])*`/.exec(rest) ??
    (BEFORE_REGEX.test(before) ? /^\/(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\\\n[])+\//.exec(rest) : null);
  return match === null ? undefined : at + match[0].length;
};

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

/** What a token leaves: nothing of a comment, the quotes of a string, the expressions of a template. */
const residue = (token: string): string => {
  const quote = token.charAt(0);
  if (quote === '/') return blank(token);
  if (quote !== '`') return quote + blank(token.slice(1, -1)) + quote;
  const pieces = token.slice(1, -1).split(/(\$\{(?:[^`{}]|\{[^{}]*\}|`[^`]*`)*\})/);
  return `\`${pieces.map((piece, at) => (at % 2 === 1 ? codeOf(piece) : blank(piece))).join('')}\``;
};

/** Blanks comments and the insides of strings, templates and regular expressions, so that words are found in code only. */
export const codeOf = (text: string): string => {
  const pieces: string[] = [];
  let significant = '';
  for (let at = 0; at < text.length; ) {
    const character = text.charAt(at);
    const end = `/'"\``.includes(character) ? tokenEnd(text, at, significant) : undefined;
    const piece = end === undefined ? character : residue(text.slice(at, end));
    pieces.push(piece);
    significant = (significant + piece).trimEnd().slice(-8);
    at = end ?? at + 1;
  }
  return pieces.join('');
};

export const isScript = (path: string): boolean => /\.tsx?$/.test(path);
export const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.endsWith('.test.tsx');
/** Code that never ships: tests, their helpers, the e2e folder, scripts. */
export const isDevelopment = (path: string): boolean =>
  isTest(path) || path.includes('/testing/') || /^(tests|scripts)\//.test(path);

export const sourceOf = (path: string, text: string): Source => ({
  path,
  text,
  code: isScript(path) ? codeOf(text) : text,
});

export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

/** Every place where `pattern` (with the g flag) occurs in `text`. */
export const occurrences = (path: string, text: string, pattern: RegExp, says: string): Violation[] =>
  Array.from(text.matchAll(pattern), ({ index }) => ({ path, line: lineAt(text, index), text: says }));

/** What a file imports or re-exports from elsewhere, type imports included. */
export const importsOf = ({ text, code }: Source): Import[] =>
  Array.from(code.matchAll(/\b(?:from|import\s*\(|import)\s*(['"])\s*\1/g), (match) => {
    const start = match.index + match[0].indexOf(match[1] ?? "'") + 1;
    const end = match.index + match[0].length - 1;
    return { specifier: text.slice(start, end), line: lineAt(text, match.index) };
  });

/** Every text file that is committed or about to be. */
export const readTree = async (root: string): Promise<Source[]> => {
  const git = Bun.spawn(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  const paths = (await new Response(git.stdout).text()).split('\0').filter((path) => path !== '');
  const texts = paths.map(async (path) => {
    const bytes = await readFile(join(root, path)).catch(() => undefined);
    return bytes === undefined || bytes.includes(0) ? [] : [sourceOf(path, bytes.toString())];
  });
  return (await Promise.all(texts)).flat();
};
