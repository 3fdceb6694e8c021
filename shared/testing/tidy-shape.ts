import { isScript, isTest, lineAt, type Source, type Violation } from './source.ts';

const file_lines = 300;
const function_lines = 60;
/** Folders below a top-level folder. */
const folder_levels = 2;

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** The line that closes what `start` opens: in formatted code the next one that is indented like it. */
const closingLine = (lines: readonly string[], start: number): number => {
  const indent = indentOf(lines[start] ?? '');
  const end = lines.findIndex((line, at) => at > start && line.trim() !== '' && indentOf(line) <= indent);
  return end < 0 ? lines.length - 1 : end;
};

/** Source files stay readable in one go. */
export const checkFileLengths = (sources: readonly Source[]): Violation[] =>
  sources
    .filter(({ path }) => isScript(path) && !isTest(path))
    .map(({ path, text }) => ({ path, line: text.trimEnd().split('\n').length }))
    .filter(({ line }) => line > file_lines)
    .map(({ path, line }) => ({ path, line, text: `${line} lines; at most ${file_lines}: split by noun` }));

const FUNCTION =
  /=>\s*[{(]?$|\bfunction\b.*\{$|^\s*(?:async |static |override |get |set )*#?\w+\(.*\).*\{$|^\s*\).*\{$/;
const NO_FUNCTION = /^\s*(?:\} )?(?:if|for|while|switch|catch|else|do|try)\b/;

const opensFunction = (line: string): boolean => FUNCTION.test(line) && !NO_FUNCTION.test(line);

/**
 * Functions too. A line counts for the innermost function that it stands in: a factory that returns a handful of small
 * functions is as long as what it does itself, like a class is.
 */
export const checkFunctionLengths = (sources: readonly Source[]): Violation[] =>
  sources
    .filter(({ path }) => isScript(path) && !isTest(path))
    .flatMap(({ path, code }) => {
      const lines = code.split('\n');
      const owner = lines.map(() => -1);
      for (const [start, line] of lines.entries()) {
        if (opensFunction(line)) owner.fill(start, start, closingLine(lines, start) + 1);
      }
      return lines.flatMap((line, start) => {
        const length = opensFunction(line) ? owner.filter((at) => at === start).length : 0;
        const text = `a function of ${length} lines of its own; at most ${function_lines}`;
        return length > function_lines ? [{ path, line: start + 1, text }] : [];
      });
    });

/** Names are kebab-case and folders shallow. */
export const checkNames = (sources: readonly Source[]): Violation[] =>
  sources
    .filter(({ path }) => path.includes('/') && !path.startsWith('.'))
    .flatMap(({ path }) => {
      const parts = path.split('/');
      const odd = parts.filter(
        (part) => !/^[a-z0-9]+([-._][a-z0-9]+)*$/.test(part) && !/^[A-Z]+\.md$/.test(part),
      );
      const under = isScript(path) && /_/.test(path) ? ['underscore'] : [];
      return [
        ...[...odd, ...under].map((part) => ({ path, line: 1, text: `${part}: names are kebab-case` })),
        ...(parts.length - 2 > folder_levels
          ? [{ path, line: 1, text: `at most ${folder_levels} folders below a top-level one` }]
          : []),
      ];
    });

/** Where a page's headings stand: code fences do not count. */
const titlesOf = (text: string): number[] => {
  let fenced = false;
  return text.split('\n').flatMap((line, at) => {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    return !fenced && /^# /.test(line) ? [at + 1] : [];
  });
};

/** A page has one title, on its first line. */
export const checkTitles = (sources: readonly Source[]): Violation[] =>
  sources
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) => {
      const titles = titlesOf(text);
      if (titles.length === 1 && titles[0] === 1) return [];
      return [{ path, line: titles[1] ?? 1, text: `has ${titles.length} titles; one, on the first line` }];
    });

const TEST_CALL = /^[ \t]*test(?:\.each\([^\n]*\)|\.serial)?\(/gm;

/**
 * Beside the source a test is named "symbol() criterion", the symbol stands in its file, and it expects something.
 * Tests of whole systems (`tests/`) have no symbol, and wait with helpers that throw.
 */
export const checkTests = (sources: readonly Source[]): Violation[] =>
  sources
    .filter(({ path }) => isTest(path) && !path.startsWith('tests/'))
    .flatMap(({ path, text, code }) =>
      Array.from(code.matchAll(TEST_CALL)).flatMap((match) => {
        const line = lineAt(code, match.index);
        const body = code.split('\n').slice(line - 1);
        const checks = /\bexpect\w*\b/.test(body.slice(0, closingLine(body, 0) + 1).join('\n'));
        const name = /^\s*(['"`])((?:\\.|(?!\1)[\s\S])*)\1/.exec(
          text.slice(match.index + match[0].length),
        )?.[2];
        const [, symbol, literal] =
          /^(?:new )?(?:(\w+)(?:\.\w+)*|\$\{([\w.]+)\})\(\)(?: or | and |,|\s)/.exec(name ?? '') ?? [];
        const named =
          literal !== undefined || (symbol !== undefined && new RegExp(`\\b${symbol}\\b`).test(code));
        return [
          ...(checks ? [] : [{ path, line, text: 'a test without an expect' }]),
          ...(named
            ? []
            : [
                {
                  path,
                  line,
                  text: `"${name ?? ''}" does not begin with "symbol()" of a symbol in this file`,
                },
              ]),
        ];
      }),
    );
