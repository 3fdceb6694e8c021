import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errors } from '../shared/errors.ts';
import { peerErrors } from '../shared/protocol/peers.ts';
import { endReasons } from '../shared/protocol/session.ts';
import { protocolFolder, type WireProtocol, wireProtocols, wireSchema } from '../shared/testing/wire.ts';

/** Writes `docs/protocol.md` from the schemas of `shared/protocol` and the comments above them. */
const page = resolve(import.meta.dir, '..', 'docs', 'protocol.md');

type Json = Record<string, unknown>;
const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const jsonOf = (value: unknown): Json => (isJson(value) ? value : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll('|', '\\|');

const bounds = (schema: Json): string => {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  const least = minimum ?? minLength ?? minItems;
  const most = maximum ?? maxLength ?? maxItems;
  const unlimited = (bound: unknown) =>
    bound === undefined || Math.abs(Number(bound)) === Number.MAX_SAFE_INTEGER;
  if (unlimited(least) && unlimited(most)) return '';
  if (unlimited(most)) return `, from ${least}`;
  return unlimited(least) ? `, up to ${most}` : `, ${least} to ${most}`;
};

/** Lists that have a section of their own. */
const sharedLists = [
  { values: Object.keys(errors), link: 'one of the [error codes](#errors)' },
  { values: Object.keys(peerErrors), link: 'one of the [peer errors](#peer-errors)' },
  { values: Object.keys(endReasons), link: 'one of the [end reasons](#end-reasons)' },
];

/** The type of a field in a few words. */
const typeOf = (value: unknown): string => {
  const schema = jsonOf(value);
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (Array.isArray(schema.enum)) {
    const shared = sharedLists.find(({ values }) => Bun.deepEquals(values, schema.enum));
    return shared?.link ?? schema.enum.map((one) => code(String(one))).join(', ');
  }
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.type === 'array')
    return `array${bounds(schema).replace(/^, (.*)/, ' ($1)')} of ${typeOf(schema.items)}`;
  if (schema.type === 'object' && isJson(schema.additionalProperties) && schema.properties === undefined) {
    return `object of ${typeOf(schema.additionalProperties)}`;
  }
  const pattern = typeof schema.pattern === 'string' ? `, ${code(schema.pattern)}` : '';
  const format = schema.format === 'date-time' ? ' (RFC 3339)' : '';
  const types = Array.isArray(schema.type) ? schema.type.join(' or ') : (schema.type ?? 'anything');
  return `${types}${format}${bounds(schema)}${pattern}`;
};

interface Field {
  path: string;
  type: string;
  required: boolean;
}

/** Every field, those of nested objects with their path: `rc_info.info.title`, `servers[].port`. */
const fieldsOf = (value: unknown, prefix = ''): Field[] => {
  const schema = jsonOf(value);
  if (schema.type === 'array') return fieldsOf(schema.items, `${prefix}[]`);
  if (Array.isArray(schema.anyOf)) return schema.anyOf.flatMap((one) => fieldsOf(one, prefix));
  return Object.entries(jsonOf(schema.properties)).flatMap(([name, property]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const field = { path, type: typeOf(property), required: listOf(schema.required).includes(name) };
    return [field, ...fieldsOf(property, path)];
  });
};

/** The text of the comment that stands right above `name`, if there is one. */
const commentAbove = (source: string, name: string): string => {
  const above = new RegExp(
    `/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*(?:export (?:const )?)?${name}(?!\\w)`,
  ).exec(source);
  return (above?.[1] ?? '')
    .replace(/\n\s*\*/g, '')
    .replace(/\s+/g, ' ')
    .trim();
};

/** The part of a source that declares `name`: up to the next declaration of the same indentation. */
const declaration = (source: string, name: string): string => {
  const start = source.search(new RegExp(`^ *(?:export const )?${name}\\b(?: =|:|,)`, 'm'));
  if (start < 0) return '';
  const indent = /^ */.exec(source.slice(start))?.[0].length ?? 0;
  const [first = '', ...rest] = source.slice(start).split('\n');
  const end = rest.findIndex(
    (line) => line.search(/\S/) >= 0 && line.search(/\S/) <= indent && !/^\s*[})]/.test(line),
  );
  return [first, ...rest.slice(0, end < 0 ? undefined : end)].join('\n');
};

const table = (rows: readonly string[][]): string[] => {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return ['', line(head), line(head.map(() => '---')), ...body.map(line), ''];
};

const messageSection = (title: string, schema: unknown, about: string, source: string): string[] => {
  const rows = fieldsOf(schema).map(({ path, type, required }) => {
    const name = path.split('.').at(-1)?.replaceAll('[]', '') ?? '';
    return [code(path), type, required ? 'yes' : '', commentAbove(source, `${name}:`)];
  });
  const fields = rows.length > 0 ? table([['field', 'type', 'required', 'meaning'], ...rows]) : [''];
  return [`#### ${title}`, '', ...(about === '' ? [] : [about]), ...fields];
};

const protocolSection = async ({ name, version, families, bodies }: WireProtocol): Promise<string[]> => {
  const source = await readFile(join(protocolFolder, `${name}.ts`), 'utf8');
  const versionName = /export const (\w+_VERSION)/.exec(source)?.[1] ?? '';
  const [fileComment] = /\/\*\*[\s\S]*?\*\//.exec(source) ?? [''];
  const about = commentAbove(source, versionName) || commentAbove(`${fileComment} x`, 'x');
  const messages = families.flatMap(([direction, family]) => [
    `### ${name}: ${direction}`,
    '',
    commentAbove(source, direction),
    '',
    ...Object.entries(family).flatMap(([message, schema]) =>
      messageSection(
        message,
        wireSchema(schema),
        commentAbove(declaration(source, direction), message) || commentAbove(source, `const ${message}`),
        declaration(declaration(source, direction), message) || declaration(source, `const ${message}`),
      ),
    ),
  ]);
  const bodySections = bodies.flatMap(([body, schema]) =>
    messageSection(
      body.replace('Schema', ''),
      wireSchema(schema),
      commentAbove(source, body),
      declaration(source, body),
    ),
  );
  const titled = bodySections.length > 0 ? [`### ${name}: bodies`, '', ...bodySections] : [];
  return [`## ${name}, version ${version}`, '', about, '', ...messages, ...titled];
};

/** The whole page. */
export const protocolPage = async (): Promise<string> => {
  const protocols = await wireProtocols();
  const lines = [
    '# Wire protocols',
    '',
    'Generated by `bun run docs` from `shared/protocol`; a test fails when it is out of date. One section for each protocol,',
    'then the errors and the end reasons that all of them share. Our own messages take no field that is not listed;',
    "Pixel Streaming's are relayed as received.",
    '',
    ...(await Promise.all(protocols.map(protocolSection))).flat(),
    '## Errors',
    '',
    'The closed list: the code for programs, the status of a REST answer, the WebSocket close code, whether trying again can',
    'help, and the sentence for people.',
    ...table([
      ['code', 'HTTP', 'close', 'retry', 'text'],
      ...Object.entries(errors).map(([name, { http, close, retryable, text }]) => [
        code(name),
        `${http}`,
        `${close}`,
        retryable ? 'yes' : '',
        text,
      ]),
    ]),
    '## Peer errors',
    '',
    "What the peer channels answer. The numbers are stable, and IRC's where IRC has the error.",
    ...table([
      ['number', 'error', 'text'],
      ...Object.entries(peerErrors).map(([name, { number, text }]) => [`${number}`, code(name), text]),
    ]),
    '## End reasons',
    '',
    'Why a session ended. The numbers are stable.',
    ...table([
      ['reason', 'number'],
      ...Object.entries(endReasons).map(([reason, number]) => [code(reason), `${number}`]),
    ]),
  ];
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
};

if (import.meta.main) await writeFile(page, await protocolPage());
