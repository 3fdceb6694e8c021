import { columnLine, keyLine, type Structure } from './structure.ts';

/** What a statement of a migration leaves behind. */
export interface Effect extends Structure {
  /** Whether a coordinator that does not know of it works as before. */
  readonly additive: boolean;
}

/** Commas that stand in no parentheses and no text. */
const partsOf = (text: string): string[] => {
  const parts = [''];
  let depth = 0;
  for (const [piece] of text.matchAll(/'(?:[^']|'')*'|[(),]|[^'(),]+/g)) {
    depth += piece === '(' ? 1 : piece === ')' ? -1 : 0;
    if (piece === ',' && depth === 0) parts.push('');
    else parts.push(`${parts.pop() ?? ''}${piece}`);
  }
  return parts.map((part) => part.trim());
};

const namesOf = (text: string): string[] => partsOf(text).map((name) => name.replaceAll('`', ''));

/** `boolean` and `integer` are names of ours for types that have another one. */
const types: Readonly<Record<string, string>> = { boolean: 'tinyint', bool: 'tinyint', integer: 'int' };

const isText = (type: string): boolean => /char|text/.test(type);

const columnOf = (text: string): { readonly line: string; readonly additive: boolean } | undefined => {
  const match = /^`?(\w+)`?\s+(\w+)(\(\d+\))?(.*)$/s.exec(text);
  if (match === null) return undefined;
  const [, name = '', written = '', length = '', rest = ''] = match;
  const type = types[written.toLowerCase()] ?? written.toLowerCase();
  const optional = !/\bNOT NULL\b|\bPRIMARY KEY\b/i.test(rest);
  const collation = /\bCOLLATE\s+(\w+)/i.exec(rest)?.[1];
  if (isText(type) && collation === undefined) {
    throw new TypeError(`the column ${name} does not say how it is compared: give it a COLLATE`);
  }
  const unsigned = /\bUNSIGNED\b/i.test(rest) ? ' unsigned' : '';
  const named = `${type}${/char$/.test(type) ? length : ''}${unsigned}`;
  return {
    line: columnLine({ name, type: named, collation, optional }),
    additive: optional || /\bDEFAULT\b/i.test(rest),
  };
};

const keyOf = (text: string): string | undefined => {
  const primary = /^(?:CONSTRAINT\s+\S+\s+)?PRIMARY KEY\s*\((.+)\)$/is.exec(text);
  if (primary !== null) return keyLine('primary key', namesOf(primary[1] ?? ''));
  const unique =
    /^(?:CONSTRAINT\s+`?(\w+)`?\s+)?UNIQUE(?:\s+(?:KEY|INDEX))?(?:\s+`?(\w+)`?)?\s*\((.+)\)$/is.exec(text);
  if (unique !== null) return keyLine(`unique ${unique[1] ?? unique[2]}`, namesOf(unique[3] ?? ''));
  const index = /^(?:INDEX|KEY)\s+`?(\w+)`?\s*\((.+)\)$/is.exec(text);
  return index === null ? undefined : keyLine(`index ${index[1]}`, namesOf(index[2] ?? ''));
};

const created = (table: string, body: string): Effect | undefined => {
  const lines = partsOf(body).flatMap((part) => {
    const column = keyOf(part) ?? columnOf(part)?.line;
    const inline = /\bPRIMARY KEY$/i.test(part) && keyOf(part) === undefined;
    return [column, ...(inline ? [keyLine('primary key', namesOf(part.split(/\s/, 1)[0] ?? ''))] : [])];
  });
  const has = lines.filter((line) => line !== undefined);
  return has.length < lines.length
    ? undefined
    : { table, has: ['engine InnoDB', ...has], lacks: [], additive: true };
};

type Change = Omit<Effect, 'table'>;

const adding = (text: string): Change | undefined => {
  const key = keyOf(text);
  if (key !== undefined) return { has: [key], lacks: [], additive: key.startsWith('index ') };
  const column = columnOf(text.replace(/^COLUMN\s+/i, ''));
  return column && { has: [column.line], lacks: [], additive: column.additive };
};

const changed = (text: string): Change | undefined => {
  const [, verb = '', what = ''] = /^(ADD|MODIFY|DROP)\s+(.+)$/is.exec(text) ?? [];
  switch (verb.toUpperCase()) {
    case 'ADD':
      return adding(what);
    case 'MODIFY': {
      const column = columnOf(what.replace(/^COLUMN\s+/i, ''));
      return column && { has: [column.line], lacks: [], additive: false };
    }
    case 'DROP': {
      const [, kind = 'COLUMN', name = ''] = /^(?:(COLUMN|INDEX|KEY)\s+)?`?(\w+)`?$/i.exec(what) ?? [];
      const kinds = /^COLUMN$/i.test(kind) ? ['column'] : ['index', 'unique'];
      const lacks = kinds.map((one) => `${one} ${name}`);
      return name === '' ? undefined : { has: [], lacks, additive: false };
    }
    default:
      return undefined;
  }
};

/** The first of the texts that the statement is, without its semicolon. */
const matched = (sql: string, pattern: RegExp): string[] | undefined =>
  pattern.exec(sql.replace(/;\s*$/, ''))?.slice(1);

/**
 * What the statement leaves behind, by which one sees that it was carried out; undefined for one that does more than make,
 * change and drop tables, columns and indexes. Throws TypeError for a text column without a collation.
 */
export const effectOf = (sql: string): Effect | undefined => {
  const table = matched(sql, /^CREATE TABLE\s+(?:IF NOT EXISTS\s+)?`?(\w+)`?\s*\((.*)\)[^)]*$/is);
  if (table !== undefined) return created(table[0] ?? '', table[1] ?? '');
  const index = matched(sql, /^CREATE\s+(UNIQUE\s+)?INDEX\s+`?(\w+)`?\s+ON\s+`?(\w+)`?\s*\((.+)\)$/is);
  if (index !== undefined) {
    const [unique, name, on = '', columns = ''] = index;
    const line = keyLine(`${unique === undefined ? 'index' : 'unique'} ${name}`, namesOf(columns));
    return { table: on, has: [line], lacks: [], additive: unique === undefined };
  }
  const drop = matched(sql, /^DROP INDEX\s+`?(\w+)`?\s+ON\s+`?(\w+)`?$/i);
  if (drop !== undefined) {
    return {
      table: drop[1] ?? '',
      has: [],
      lacks: [`index ${drop[0]}`, `unique ${drop[0]}`],
      additive: false,
    };
  }
  const gone = matched(sql, /^DROP TABLE\s+(?:IF EXISTS\s+)?`?(\w+)`?$/i);
  if (gone !== undefined) return { table: gone[0] ?? '', has: [], lacks: ['engine'], additive: false };
  const alter = matched(sql, /^ALTER TABLE\s+`?(\w+)`?\s+(.+)$/is);
  if (alter === undefined) return undefined;
  const changes = partsOf(alter[1] ?? '').map(changed);
  const known = changes.filter((change) => change !== undefined);
  if (known.length < changes.length) return undefined;
  return {
    table: alter[0] ?? '',
    has: known.flatMap(({ has }) => has),
    lacks: known.flatMap(({ lacks }) => lacks),
    additive: known.every(({ additive }) => additive),
  };
};

/** What a line or the beginning of one is about: "column id", "index x", "primary key", "engine". */
const subjectOf = (line: string): string => line.split(' ', line.startsWith('engine') ? 1 : 2).join(' ');

/** The columns of a key's line. */
const columnsOf = (line: string): string[] => /\((.+)\)$/.exec(line)?.[1]?.split(', ') ?? [];

/** What is still to be seen of a statement when later ones were carried out, too. */
export const lastingOf = (effect: Effect, later: readonly Effect[]): Effect => {
  const onTable = later.filter(({ table }) => table === effect.table);
  const touched = new Set(onTable.flatMap(({ has, lacks }) => [...has, ...lacks].map(subjectOf)));
  const dropped = new Set(onTable.flatMap(({ lacks }) => lacks));
  const lasts = (line: string): boolean =>
    !touched.has('engine') &&
    !touched.has(subjectOf(line)) &&
    (line.startsWith('column') || !columnsOf(line).some((column) => dropped.has(`column ${column}`)));
  return { ...effect, has: effect.has.filter(lasts), lacks: effect.lacks.filter(lasts) };
};

/** What nothing but the statement can have left behind, by the statements before and after it. */
export const proofOf = (effect: Effect, before: readonly Effect[], later: readonly Effect[]): Effect => {
  const made = new Set(before.flatMap(({ table, has }) => (table === effect.table ? has : [])));
  const { has } = lastingOf(effect, later);
  return { ...effect, has: has.filter((line) => !made.has(line)), lacks: [] };
};
