import {
  applyEdits,
  findNodeAtLocation,
  getNodePath,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import type { z } from 'zod';
import { readText } from './text-file.ts';

/** One thing wrong in a file that a person wrote. `line` counts from 1; `key` is a path like `apps[2].path`. */
export interface ConfigProblem {
  file: string;
  line: number;
  key: string;
  text: string;
}

export type Parsed<T> = { value: T } | { problems: ConfigProblem[] };

/** "servers.json:12 [0].rc_info.rc_name: must not be empty" */
export const describeProblem = ({ file, line, key, text }: ConfigProblem): string =>
  `${file}:${line}${key === '' ? '' : ` ${key}`}: ${text}`;

const keyPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((key, part) => {
    if (typeof part === 'number') return `${key}[${part}]`;
    return key === '' ? String(part) : `${key}.${String(part)}`;
  }, '');

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

/** The node that a problem is about, or its nearest ancestor that exists: a missing key points at its object. */
const nearest = (root: Node, path: readonly PropertyKey[]): Node => {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length) as (string | number)[]);
    if (node !== undefined) return node;
  }
  return root;
};

/** The line of the key at `path` in a JSON text, or of the nearest object around it. For whoever finds later that its value is wrong. */
export const lineOfKey = (text: string, path: readonly (string | number)[]): number => {
  const root = parseTree(text.replace(/^\uFEFF/, ' '));
  return root === undefined ? 1 : lineAt(text, nearest(root, path).offset);
};

const plainValue = (node: Node): unknown => {
  if (node.type === 'array') return (node.children ?? []).map(plainValue);
  if (node.type !== 'object') return node.value;
  return Object.fromEntries(
    (node.children ?? []).flatMap(({ children }) => {
      const [key, value] = children ?? [];
      return key === undefined || value === undefined ? [] : [[key.value, plainValue(value)]];
    }),
  );
};

/** The second and every further key node of one name in one object, at any depth. */
const repeatedKeys = (node: Node): Node[] => {
  const seen = new Set<unknown>();
  return (node.children ?? []).flatMap((child) => {
    const key = child.type === 'property' ? child.children?.[0] : undefined;
    const again = key !== undefined && seen.has(key.value);
    seen.add(key?.value);
    return [...(again ? [key] : []), ...repeatedKeys(child)];
  });
};

/** What a value of a type is to whoever types it. */
const typed: Readonly<Record<string, string>> = {
  string: 'a text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list, [ ]',
  object: 'an object, { }',
  record: 'an object, { }',
};

/** What is wrong, to a person: the schema's own words, or which type is wanted; and whether the key is not there at all. */
const wordsOf = (issue: z.core.$ZodIssue, there: boolean): string => {
  const plain = issue.code === 'invalid_type' && issue.message.startsWith('Invalid input: expected ');
  const wants = plain ? `must be ${typed[issue.expected] ?? issue.expected}` : issue.message;
  return there || issue.code === 'custom' ? wants : `is missing: ${wants.replace(/^must be /, '')}`;
};

/**
 * Reads JSON (comments and trailing commas allowed) against a schema. Either the value, or every problem at once, each
 * with its line and key. `file` is only for the messages.
 */
export const parseConfig = <S extends z.ZodType>(
  text: string,
  file: string,
  schema: S,
): Parsed<z.infer<S>> => {
  const broken: ParseError[] = [];
  if (text.trim() === '') return { problems: [{ file, line: 1, key: '', text: 'the file is empty' }] };
  const root = parseTree(text.replace(/^\uFEFF/, ' '), broken, { allowTrailingComma: true });
  if (root === undefined || broken.length > 0) {
    const problems = broken.map(({ error, offset }) => ({
      file,
      line: lineAt(text, offset),
      key: '',
      text: `not valid JSON (${printParseErrorCode(error)})`,
    }));
    return { problems };
  }
  const repeated = repeatedKeys(root).map((node) => ({
    file,
    line: lineAt(text, node.offset),
    key: keyPath(getNodePath(node)),
    text: 'this key stands twice in the same object',
  }));
  const parsed = schema.safeParse(plainValue(root));
  if (parsed.success && repeated.length === 0) return { value: parsed.data };
  const wrong = (parsed.error?.issues ?? []).flatMap((issue) => {
    const problem = (path: readonly PropertyKey[], what: string) => ({
      file,
      line: lineAt(text, nearest(root, path).offset),
      key: keyPath(path),
      text: what,
    });
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((extra) => problem([...issue.path, extra], 'is not a key that belongs here'))
      : [
          problem(
            issue.path,
            wordsOf(issue, findNodeAtLocation(root, issue.path as (string | number)[]) !== undefined),
          ),
        ];
  });
  return { problems: [...repeated, ...wrong] };
};

/** `parseConfig` on a file. A file that cannot be read is a problem too, not an exception. */
export const readConfig = async <S extends z.ZodType>(
  file: string,
  schema: S,
): Promise<Parsed<z.infer<S>>> => {
  try {
    return parseConfig(await readText(file), file, schema);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { problems: [{ file, line: 1, key: '', text: `cannot be read: ${text}` }] };
  }
};

/**
 * The text with the value at `path` (`['apps', 2, 'path']`) set, or removed when it is undefined. What else stands in it
 * stays as it is, comments too. An index beyond the end of an array adds to it.
 */
export const editConfig = (text: string, path: (string | number)[], value: unknown): string =>
  applyEdits(
    text,
    modify(text, path, value, { formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' } }),
  );
