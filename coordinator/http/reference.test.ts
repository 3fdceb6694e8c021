import { describe, expect, test } from 'bun:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { appUnderTest } from '../testing/app.ts';
import { referenceOf, referenceRoutes } from './reference.ts';

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

const under = await appUnderTest();
const document = referenceOf(under.app);
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  methods.flatMap((method) => {
    const operation = item[method];
    return operation === undefined ? [] : [{ path, method, operation }];
  }),
);

/** Fields that are named like a moment: "ends_at", "until", "from", "expires". */
const moment =
  /(^|_)(at|on|to|from|since|until|now|time|when|date|deadline|begins?|ends?|starts?)$|expires|expiry/;
/** What an agent is told, beside its link, in numbers: releases before read them so. */
const of_agents = ['get /agent/check: time'];

type Schema = Record<string, unknown>;
const schemaOf = (value: unknown): Schema =>
  typeof value === 'object' && value !== null ? { ...value } : {};
const isNumber = ({ type, format }: Schema): boolean =>
  [type].flat().some((one) => one === 'number' || one === 'integer') || format === 'int64';

/** Every schema in this one with the path of its field; values of a record have that of the record. */
const schemasIn = (value: unknown, path: string): [path: string, schema: Schema][] => {
  const schema = schemaOf(value);
  return [
    [path, schema],
    ...['anyOf', 'oneOf', 'allOf', 'items', 'additionalProperties'].flatMap((key) =>
      [schema[key]].flat().flatMap((part) => (part === undefined ? [] : schemasIn(part, path))),
    ),
    ...Object.entries(schemaOf(schema.properties)).flatMap(([name, field]) =>
      schemasIn(field, path === '' ? name : `${path}.${name}`),
    ),
  ];
};

const answered = operations.flatMap(({ path, method, operation }) =>
  Object.values(operation.responses ?? {}).flatMap((response) =>
    Object.values(schemaOf(schemaOf(response).content)).flatMap((content) =>
      schemasIn(schemaOf(content).schema, '').map(
        ([field, schema]) => [`${method} ${path}: ${field}`, schema] as [string, Schema],
      ),
    ),
  ),
);

describe('referenceOf()', () => {
  test('referenceOf() shows no moment as a number in an answer', () => {
    const numbers = answered.filter(([, schema]) => isNumber(schema)).map(([field]) => field);
    const isMoment = (field: string) =>
      moment.test(field.split(/[ .]/).at(-1) ?? '') || /phases$/.test(field);
    expect(numbers.length).toBeGreaterThan(50);
    expect(numbers.filter(isMoment)).toEqual(of_agents);
  });

  test('referenceOf() shows instants as date-time', () => {
    const instants = answered.filter(([, { format }]) => format === 'date-time');
    expect(instants.length).toBeGreaterThan(60);
    for (const [field, { type }] of instants)
      expect([field, [type].flat()]).toEqual([field, expect.arrayContaining(['string'])]);
    const fields = instants.map(([field]) => field);
    expect(fields).toContain('get /api/v1/sessions/{id}: phases');
    expect(fields).toContain('get /api/v1/apps/{name}/availability: free.from');
    expect(fields).toContain('get /api/v1/audit: entries.detail.expires_at');
  });

  test('referenceOf() makes a valid OpenAPI 3.1 document', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(document)));
    expect([errors, valid, validator.version]).toEqual([undefined, true, '3.1']);
  });

  test('referenceOf() holds every route under /api/v1', () => {
    const described = new Set(
      operations.map(({ path, method }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    const served = under.app.routes
      .filter(({ path, method }) => path.startsWith('/api/v1/') && method !== 'ALL')
      .map(({ path, method }) => `${method.toLowerCase()} ${path}`);
    expect(served.length).toBeGreaterThan(5);
    expect([...new Set(served)].filter((route) => !described.has(route))).toEqual([]);
  });

  for (const { path, method, operation } of operations) {
    test(`referenceOf() says what ${method} ${path} does, and what it refuses`, () => {
      expect(operation.summary).toMatch(/^[A-Z].{5,}[^.]$/);
      expect(operation.tags?.length).toBe(1);
      const statuses = Object.keys(operation.responses ?? {});
      expect(statuses.filter((status) => Number(status) < 400).length).toBeGreaterThan(0);
      const takes = operation.parameters !== undefined || operation.requestBody !== undefined;
      if (takes) expect(statuses).toContain('400');
      if (operation.security !== undefined) expect(statuses).toContain('401');
    });
  }

  test('referenceOf() writes patterns that a validator understands', () => {
    const patterns = [...JSON.stringify(document).matchAll(/"pattern":"((?:[^"\\]|\\.)*)"/g)].map(
      ([, text]) => JSON.parse(`"${text}"`),
    );
    expect(patterns.length).toBeGreaterThan(3);
    for (const pattern of patterns) expect(() => new RegExp(pattern, 'u')).not.toThrow();
    expect(patterns.filter((pattern) => !pattern.startsWith('^') || !pattern.endsWith('$'))).toEqual([]);
  });
});

describe(`${referenceRoutes.name}()`, () => {
  test('referenceRoutes() serves the document with the address that callers use', async () => {
    const servers = async (patch: object) =>
      JSON.parse(await (await (await appUnderTest(patch)).request('/openapi.json')).text()).servers;
    expect(await servers({})).toEqual([{ url: 'http://localhost' }]);
    expect(await servers({ public_url: 'https://vitrina.example' })).toEqual([
      { url: 'https://vitrina.example' },
    ]);
  });

  test('referenceRoutes() makes each document once, whatever names it is asked by', async () => {
    const { app, request } = await appUnderTest();
    const make = app.getOpenAPI31Document.bind(app);
    let made = 0;
    app.getOpenAPI31Document = (...given) => {
      made += 1;
      return make(...given);
    };
    for (let host = 1; host <= 20; host++) {
      const base = `http://192.0.2.${host}:8080`;
      const [page, document] = [await request(`${base}/docs`), await request(`${base}/openapi.json`)];
      expect(await page.text()).toContain(`<code>${base}</code>`);
      expect(JSON.parse(await document.text()).servers).toEqual([{ url: base }]);
    }
    expect(made).toBe(2);
  });

  test('referenceRoutes() serves a page for people that runs no script and loads its own style only', async () => {
    const response = await under.request('/docs');
    const text = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=UTF-8',
    ]);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text.match(/<script|style="|<style| on[a-z]+="|src="/)).toBeNull();
    expect([...text.matchAll(/<link rel="stylesheet"[^>]*href="([^"]*)"/g)].map(([, href]) => href)).toEqual([
      '/docs/style.css',
    ]);
    expect((await under.request('/docs/style.css')).headers.get('content-type')).toContain('text/css');
    for (const { path, operation } of operations) {
      expect(text).toContain(`<code>${path}</code>`);
      expect(text).toContain(operation.summary?.replaceAll("'", '&#39;') ?? '');
    }
    expect(text).toContain('name="viewport"');
    expect(text).toMatch(/<code class="name">ends_at<\/code>:\s*<span class="type">string \(RFC 3339\)</);
    const anchors = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id = '']) => id);
    for (const id of anchors) expect(text).toContain(`id="${id}"`);
    expect(/undefined|\[object/.test(text)).toBe(false);
  });
});
