import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { version } from '../package.json';

const root = resolve(import.meta.dir, '..');

const targets = {
  'session-agent-linux-x64': { entry: 'session-agent/main.ts', target: 'bun-linux-x64' },
  'session-agent-windows-x64': { entry: 'session-agent/main.ts', target: 'bun-windows-x64' },
  'coordinator-linux-x64': { entry: 'coordinator/main.ts', target: 'bun-linux-x64' },
} as const;
type Name = keyof typeof targets;

const isName = (name: string): name is Name => Object.hasOwn(targets, name);
const say = (text: string) => process.stderr.write(`${text}\n`);

/** One file that runs on a machine that has nothing installed. VITRINA_VERSION tells a program that it is compiled. */
const build = async (name: Name, folder: string, release: string): Promise<boolean> => {
  const { entry, target } = targets[name];
  const outfile = join(folder, target.includes('windows') ? `${name}.exe` : name);
  const started = performance.now();
  const result = await Bun.build({
    entrypoints: [join(root, entry)],
    compile: { target, outfile, autoloadDotenv: false, autoloadBunfig: false },
    minify: { whitespace: true, syntax: true },
    define: { VITRINA_VERSION: JSON.stringify(release), 'process.env.NODE_ENV': '"production"' },
    throw: false,
  });
  for (const message of result.logs) say(String(message));
  if (result.success) say(`${outfile} (${Math.round(performance.now() - started)} ms)`);
  return result.success;
};

const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: join(root, 'dist') },
    release: { type: 'string', default: version },
  },
});
const unknown = asked.filter((name) => !isName(name));
if (unknown.length > 0) {
  say(`unknown: ${unknown.join(', ')}; there is ${Object.keys(targets).join(', ')}`);
  process.exit(2);
}
const names = asked.length === 0 ? Object.keys(targets) : asked;
for (const name of names.filter(isName)) {
  if (!(await build(name, resolve(values.folder), values.release))) process.exit(1);
}
