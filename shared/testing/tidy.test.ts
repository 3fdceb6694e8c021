import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { codeOf, importsOf, readTree, type Source, sourceOf, type Violation } from './source.ts';
import {
  checkArrows,
  checkBarrels,
  checkCycles,
  checkEndings,
  checkOwners,
  checkPurity,
} from './tidy-imports.ts';
import { checkPlaces, checkRank } from './tidy-rank.ts';
import { checkFileLengths, checkFunctionLengths, checkNames, checkTests, checkTitles } from './tidy-shape.ts';
import { checkWords } from './tidy-words.ts';

type Check = (sources: readonly Source[]) => Violation[];
type Example = [path: string, text: string];

/** Each law that a machine can check, with files that break it and files that keep it. */
const laws: { check: Check; bad: Example[]; good: Example[] }[] = [
  {
    check: checkArrows,
    bad: [
      ['shared/a.ts', "import { b } from '../signalling/b.ts';"],
      ['signalling/a.ts', "import type { B } from '../coordinator/b.ts';"],
      ['signalling/a.ts', "import type { B } from '../session-agent/b.ts';"],
      ['coordinator/http/a.ts', "export { b } from '../../session-agent/b.ts';"],
      ['session-agent/agent.ts', "const b = await import('../signalling/main.ts');"],
      ['session-agent/main.ts', "import { b } from '../signalling/server.ts';"],
      ['tests/e2e/a.test.ts', "import { b } from '../../coordinator/main.ts';"],
      ['coordinator/site/a.ts', "import { b } from '../http/b.ts';"],
      ['coordinator/http/a.ts', "import { b } from '../site/b.ts';"],
      ['session-agent/agent.ts', "import { b } from './demo-app/b.ts';"],
      ['session-agent/demo-app/a.ts', "import { b } from '../config.ts';"],
    ],
    good: [
      ['shared/protocol/a.ts', "import { b } from '../b.ts';"],
      ['session-agent/main.ts', "const b = await import('../signalling/main.ts');"],
      ['coordinator/main.ts', "import page from './site/index.html';\nimport p from '../package.json';"],
      ['coordinator/site/a.tsx', "import { b } from '../../shared/protocol/http.ts';"],
      ['tests/e2e/a.test.ts', "import { b } from '../../scripts/system.ts';"],
      [
        'shared/a.ts',
        "// import { b } from '../signalling/b.ts';\nconst text = `from '../signalling/b.ts'`;",
      ],
    ],
  },
  {
    check: checkEndings,
    bad: [
      ['shared/a.ts', "import { b } from './b';"],
      ['shared/a.ts', "import { b } from './b.js';"],
      ['shared/a.ts', "import { b } from '.';"],
    ],
    good: [['shared/a.ts', "import { b } from './b.ts';\nimport './c.css';\nimport { z } from 'zod';"]],
  },
  {
    check: checkOwners,
    bad: [
      ['signalling/a.ts', "import { Hono } from 'hono';"],
      ['coordinator/fleet/a.ts', "import { upgradeWebSocket } from 'hono/bun';"],
      ['coordinator/http/apps.ts', "import { jwtVerify } from 'jose';"],
      ['coordinator/seats/a.ts', "import { sql } from 'drizzle-orm';"],
      ['coordinator/http/a.ts', "import { h } from 'preact';"],
      ['coordinator/http/a.ts', "import pino from 'pino';"],
      ['coordinator/store/a.ts', "import { spawn } from 'node:child_process';"],
      ['shared/a.ts', "import left from 'left-pad';"],
    ],
    good: [
      [
        'coordinator/http/a.ts',
        "import { Hono } from 'hono';\nimport { z } from 'zod';\nimport 'node:path';",
      ],
      ['coordinator/store/a.ts', "import { sql } from 'drizzle-orm/mysql2';"],
      ['coordinator/site/a.tsx', "import { useState } from 'preact/hooks';"],
      ['session-agent/processes/a.ts', "import { spawn } from 'node:child_process';"],
      ['shared/a.test.ts', "import pino from 'pino';\nimport { test } from 'bun:test';"],
    ],
  },
  {
    check: checkPurity,
    bad: [
      ['coordinator/seats/rules.ts', "import { readFile } from 'node:fs/promises';"],
      ['coordinator/seats/rules-queue.ts', "import { b } from '../store/b.ts';"],
      ['coordinator/seats/rules-queue.ts', "import { b } from './queue.ts';"],
      ['signalling/domain/a.ts', "import type { Log } from '../../shared/log.ts';"],
      ['coordinator/site/a.ts', "import { join } from 'node:path';"],
      ['coordinator/site/a.ts', "import type { Server } from 'bun';"],
    ],
    good: [
      [
        'coordinator/seats/rules.ts',
        "import { b } from './rules-b.ts';\nimport { refuse } from '../../shared/errors.ts';",
      ],
      ['coordinator/seats/rules.ts', "import { limits } from '../kit/limits.ts';"],
      ['coordinator/seats/rules.test.ts', "import { join } from 'node:path';"],
    ],
  },
  {
    check: checkRank,
    bad: [
      ['coordinator/kit/a.ts', "import type { Session } from '../sessions/rules.ts';"],
      ['coordinator/store/a.ts', "import { pages } from '../kit/pages.ts';"],
      ['coordinator/fleet/a.ts', "import { guards } from '../http/guards.ts';"],
      ['coordinator/http/a.ts', "import { app } from '../app.ts';"],
      ['coordinator/utils/a.ts', 'export const a = 1;'],
      ['coordinator/store/shapes.ts', 'export const a = 1;'],
    ],
    good: [
      ['coordinator/sessions/a.ts', "import { pages } from '../kit/pages.ts';\nimport { b } from './b.ts';"],
      ['coordinator/app.ts', "import { guards } from './http/guards.ts';"],
      ['coordinator/kit/a.test.ts', "import { starts } from '../sessions/starts.ts';"],
      ['coordinator/testing/a.ts', "import { starts } from '../sessions/starts.ts';"],
    ],
  },
  {
    check: checkPlaces,
    bad: [
      ['coordinator/site/kit/a.ts', "import { player } from '../room/player.ts';"],
      ['coordinator/site/kit/a.ts', "import { b } from '../main.tsx';"],
      ['coordinator/site/catalogue/a.tsx', "import { Stage } from '../room/stage.tsx';"],
      ['coordinator/site/room/a.tsx', "import type { Card } from '../catalogue/card.tsx';"],
      ['coordinator/site/widgets/a.tsx', 'export const a = 1;'],
    ],
    good: [
      ['coordinator/site/main.tsx', "import { Stage } from './room/stage.tsx';"],
      ['coordinator/site/room/a.ts', "import { api } from '../kit/api.ts';\nimport { b } from './b.ts';"],
      ['coordinator/site/room/a.ts', "import { b } from '../../../shared/protocol/http.ts';"],
      ['coordinator/site/kit/a.test.ts', "import { b } from '../room/b.ts';"],
    ],
  },
  {
    check: checkBarrels,
    bad: [
      ['shared/index.ts', "export * from './a.ts';\nexport { b } from './b.ts';"],
      ['shared/index.ts', "// all of it\nexport type { A } from './a.ts';\nexport * as b from './b.ts';"],
    ],
    good: [
      ['shared/a.ts', "export { b } from './b.ts';\nexport const a = 1;"],
      ['shared/a.ts', ''],
    ],
  },
  {
    check: checkFileLengths,
    bad: [['shared/a.ts', 'const a = 1;\n'.repeat(301)]],
    good: [
      ['shared/a.ts', 'const a = 1;\n'.repeat(300)],
      ['shared/a.test.ts', 'const a = 1;\n'.repeat(400)],
    ],
  },
  {
    check: checkFunctionLengths,
    bad: [
      ['shared/a.ts', `export const a = () => {\n${'  b();\n'.repeat(59)}};\n`],
      ['shared/a.ts', `function a(b: number) {\n${'  b();\n'.repeat(59)}}\n`],
      ['shared/a.ts', `const a = ({\n  b,\n}: B) => {\n${'  b();\n'.repeat(59)}};\n`],
      ['shared/a.ts', `class A {\n  async stop(now: number) {\n${'    b();\n'.repeat(59)}  }\n}\n`],
      ['coordinator/site/a.tsx', `const A = () => (\n${'  <br />\n'.repeat(59)});\n`],
    ],
    good: [
      ['shared/a.ts', `export const a = () => {\n${'  b();\n'.repeat(58)}};\n`],
      [
        'shared/a.ts',
        `export const a = () => {\n${`  const b = () => {\n${'    c();\n'.repeat(30)}  };\n`.repeat(3)}};\n`,
      ],
      ['shared/a.ts', `export const table = {\n${'  b,\n'.repeat(100)}};\n`],
      ['shared/a.test.ts', `test('a', () => {\n${'  b();\n'.repeat(100)}});\n`],
    ],
  },
  {
    check: checkNames,
    bad: [
      ['shared/relayFrame.ts', ''],
      ['shared/relay_frame.ts', ''],
      ['Shared/a.ts', ''],
      ['coordinator/a/b/c/d.ts', ''],
    ],
    good: [
      ['coordinator/a/b/c.ts', ''],
      ['shared/relay-frame.test.ts', ''],
      ['migrations/0001_first_tables.sql', ''],
      ['README.md', ''],
      ['migrations/README.md', ''],
      ['.ci/run', ''],
    ],
  },
  {
    check: checkTests,
    bad: [
      ['shared/a.test.ts', "const a = 1;\ntest('a works', () => {\n  expect(a).toBe(1);\n});"],
      ['shared/a.test.ts', "const a = 1;\ntest('b() works', () => {\n  expect(a).toBe(1);\n});"],
      ['shared/a.test.ts', "const a = 1;\ntest('a() works', () => {\n  a;\n});\nexpect(a);"],
      ['shared/a.test.ts', "const a = 1;\ntest('a() works', () => {\n  // expect(a)\n  a;\n});"],
    ],
    good: [
      ['shared/a.test.ts', "const a = 1;\ntest('a() works', () => {\n  expect(a).toBe(1);\n});"],
      ['shared/a.test.ts', 'const a = 1;\ntest(`a() works`, () => {\n  expect(a).toBe(1);\n});'],
      ['shared/a.test.ts', "test('new A() works', () => {\n  expect(new A()).toBe(1);\n});"],
      ['shared/a.test.ts', `test(\`${'$'}{name}() works\`, () => {\n  expect(name).toBe(1);\n});`],
      ['tests/e2e/a.test.ts', "test('the main job', async () => {\n  await until(seen);\n});"],
    ],
  },
  {
    check: checkTitles,
    bad: [
      ['docs/a.md', ''],
      ['docs/a.md', 'text\n# Title\n'],
      ['docs/a.md', '# Title\n\n# Another\n'],
    ],
    good: [['docs/a.md', '# Title\n\n## Part\n\n```\n# a comment\n```\n']],
  },
  {
    check: checkWords,
    bad: [
      ['session-agent/agent.ts', 'Bun.spawn([command]);'],
      ['session-agent/agent.ts', 'const port = process.env.PORT;'],
      ['coordinator/app.ts', 'const server = Bun.serve({ port });'],
      ['coordinator/app.ts', "process.on('SIGTERM', stop);"],
      ['shared/a.ts', 'const now = Date.now();'],
      ['coordinator/http/a.ts', 'const now = new Date();'],
      ['signalling/a.ts', 'setTimeout(run, 1);'],
      ['signalling/a.ts', 'const a = Math.random();'],
      ['signalling/main.ts', 'const a = crypto.randomUUID();'],
      ['signalling/server.ts', 'const clock = systemClock;'],
      ['coordinator/seats/rules.ts', 'export const load = async () => 1;'],
      ['coordinator/seats/rules.ts', "const socket = new WebSocket('');"],
      ['coordinator/site/a.ts', 'console.log(1);'],
      ['shared/a.ts', 'const a: any = 1;'],
      ['shared/a.ts', 'const a = b as any;'],
      ['shared/a.ts', 'const a: any[] = [];'],
      ['shared/a.ts', 'const a: Map<string, any> = b;'],
      ['shared/a.ts', 'const a = b!.c;'],
      ['shared/a.ts', 'const a = b[0]!;'],
      ['shared/a.ts', '// @ts-expect-error\nconst a = 1;'],
      ['shared/a.test.ts', "test.skip('a', () => {});"],
      ['shared/a.test.ts', "describe.only('a', () => {});"],
      ['shared/a.test.ts', "test.todo('a');"],
      ['shared/a.test.ts', "mock.module('./a.ts', () => ({}));"],
      ['shared/a.test.ts', 'await Bun.sleep(100);'],
      ['shared/a.test.ts', 'await new Promise((done) => setTimeout(done, 100));'],
      ['docs/a.md', `See /${'work'}/main.`],
      ['scripts/a.ts', `const file = '/${'home'}/someone/file';`],
      ['package.json', `{ "registry": "https://${'registry'}.example" }`],
      ['shared/a.ts', '// по-русски'],
    ],
    good: [
      ['session-agent/processes/program.ts', 'Bun.spawn([command]);'],
      ['scripts/start.ts', 'Bun.spawn([process.execPath, process.env.A]);'],
      ['coordinator/main.ts', "Bun.serve({ port });\nprocess.on('SIGTERM', stop);"],
      ['shared/clock.ts', 'Date.now();'],
      ['shared/ids.ts', 'randomBytes(16);'],
      ['session-agent/demo-app/a.ts', 'setInterval(draw, 33);'],
      ['coordinator/seats/rules.ts', 'const text = new Date(now).toISOString();'],
      [
        'shared/a.ts',
        'const company = a !== b ? !c : d;\n// console.log and Date.now() in a comment\nconst text = "any";',
      ],
      ['shared/a.test.ts', "clock.after(1, () => {});\nconst text = 'Bun.sleep';"],
      ['coordinator/site/kit/texts-ru.ts', "const text = 'по-русски';"],
      ['docs/a.md', 'по-русски, https://example.com/work'],
    ],
  },
];

const describeExample = ([path, text]: Example): string => `${path} ${JSON.stringify(text).slice(0, 70)}`;

const breaks = (check: Check, [path, text]: Example): boolean => check([sourceOf(path, text)]).length > 0;

for (const { check, bad, good } of laws) {
  describe(`${check.name}()`, () => {
    for (const example of bad) {
      test(`${check.name}() refuses ${describeExample(example)}`, () => {
        expect(breaks(check, example)).toBeTrue();
      });
    }
    for (const example of good) {
      test(`${check.name}() takes ${describeExample(example)}`, () => {
        expect(breaks(check, example)).toBeFalse();
      });
    }
  });
}

describe('checkCycles()', () => {
  const files = (...imports: [from: string, to: string][]) =>
    imports.map(([from, to]) => sourceOf(`shared/${from}.ts`, `import { x } from './${to}.ts';`));

  test('checkCycles() finds a cycle of any length, and a file that imports itself', () => {
    expect(checkCycles(files(['a', 'b'], ['b', 'c'], ['c', 'a']))[0]?.text).toBe(
      'cycle: shared/a.ts > shared/b.ts > shared/c.ts > shared/a.ts',
    );
    expect(checkCycles(files(['a', 'a']))).toHaveLength(1);
  });

  test('checkCycles() takes a diamond', () => {
    const top = sourceOf('shared/top.ts', "import { b } from './b.ts';\nimport { c } from './c.ts';");
    expect(checkCycles([top, ...files(['b', 'd'], ['c', 'd'])])).toEqual([]);
  });
});

describe('codeOf()', () => {
  const rows: [text: string, code: string][] = [
    ["a('b\\'c'); // d", "a('    ');     "],
    ['/* a\nb */ c', '    \n     c'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text under test is a template
    ['`a ${b.c(`d`)} e`', '`  ${b.c(` `)}  `'],
    ["a.replace(/['\"]/g, '')", "a.replace(      g, '')"],
    ['a / b; "c"', 'a / b; " "'],
    ["<p>Don't</p>", "<p>Don't</p>"],
    ["const a = 'b';\nconst c = 'd';", "const a = ' ';\nconst c = ' ';"],
  ];
  for (const [text, code] of rows) {
    test(`codeOf() leaves the code of ${text.split('\n')[0]}`, () => {
      expect(codeOf(text)).toBe(code);
    });
  }
});

test('importsOf() finds every form of import with its line', () => {
  const text = [
    "import 'a';",
    "import b from 'b';",
    'import {',
    '  type C,',
    '} from "c";',
    "export * from './d.ts';",
    "const e = await import('./e.ts');",
    "type F = import('./f.ts').F;",
    "const g = Array.from('g'); // import 'h'",
  ].join('\n');
  expect(
    importsOf(sourceOf('shared/a.ts', text)).map(({ specifier, line }) => `${line} ${specifier}`),
  ).toEqual(['1 a', '2 b', '5 c', '6 ./d.ts', '7 ./e.ts', '8 ./f.ts']);
});

describe('readTree()', async () => {
  const tree = await readTree(join(import.meta.dir, '..', '..'));

  test('readTree() reads what is committed, this file among it', () => {
    expect(tree.map(({ path }) => path)).toContain('package.json');
    expect(tree.filter(({ path }) => path.startsWith('node_modules/'))).toEqual([]);
  });

  for (const check of [...laws.map((law) => law.check), checkCycles]) {
    test(`readTree() is a tree in which ${check.name} finds nothing`, () => {
      expect(check(tree).map(({ path, line, text }) => `${path}:${line} ${text}`)).toEqual([]);
    });
  }
});
