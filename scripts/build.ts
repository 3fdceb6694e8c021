import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { BunPlugin } from 'bun';
import { version } from '../package.json';
import { nearest } from '../shared/nearest.ts';
import { isVersion, markOf } from '../shared/release.ts';

const root = resolve(import.meta.dir, '..');

const targets = {
  'session-agent-linux-x64': {
    program: 'session-agent',
    entry: 'session-agent/main.ts',
    platform: 'linux-x64',
  },
  'session-agent-windows-x64': {
    program: 'session-agent',
    entry: 'session-agent/main.ts',
    platform: 'windows-x64',
  },
  'coordinator-linux-x64': { program: 'coordinator', entry: 'coordinator/main.ts', platform: 'linux-x64' },
  'demo-app-linux-x64': {
    program: 'demo-app',
    entry: 'session-agent/demo-app/main.ts',
    platform: 'linux-x64',
  },
} as const;
type Name = keyof typeof targets;

const isName = (name: string): name is Name => Object.hasOwn(targets, name);
const say = (text: string) => process.stderr.write(`${text}\n`);

/** libwebrtc looks for its machine code by names that it makes while it runs; the bundler has to be told the one that is meant. */
const webrtc: BunPlugin = {
  name: 'webrtc',
  setup: (build) =>
    void build.onLoad({ filter: /@roamhq[\\/]wrtc[\\/]lib[\\/]binding\.js$/ }, () => ({
      contents: "module.exports = require('@roamhq/wrtc-linux-x64/wrtc.node');",
      loader: 'js',
    })),
};

/** One file that runs on a machine that has nothing installed. VITRINA_RELEASE tells a program that it is compiled, and others what it is. */
const build = async (name: Name, folder: string, release: string): Promise<boolean> => {
  const { program, entry, platform } = targets[name];
  const outfile = join(folder, platform === 'windows-x64' ? `${name}.exe` : name);
  const mark = markOf({ name: program, platform, version: release });
  const started = performance.now();
  const result = await Bun.build({
    entrypoints: [join(root, entry)],
    compile: { target: `bun-${platform}`, outfile, autoloadDotenv: false, autoloadBunfig: false },
    minify: { whitespace: true, syntax: true },
    // Each session's start waits for a process of its own, which boots in half the time when nothing has to be parsed.
    bytecode: true,
    format: 'esm',
    define: { VITRINA_RELEASE: JSON.stringify(mark), 'process.env.NODE_ENV': '"production"' },
    plugins: [webrtc],
    throw: false,
  });
  for (const message of result.logs) say(String(message));
  if (result.success) say(`${outfile} (${Math.round(performance.now() - started)} ms)`);
  return result.success;
};

const usage = `Usage: npm run build -- [NAME...] [--folder DIR] [--release VERSION]

Makes executables, all of them unless some are named: ${Object.keys(targets).join(', ')}.

  --folder DIR       where they are written (default: dist)
  --release VERSION  what they say that they are (default: ${version})
  -h, --help         print this`;

const wrong = (text: string): never => {
  say(`${text}\n\n${usage}`);
  process.exit(2);
};

const commandLine = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        folder: { type: 'string', default: join(root, 'dist') },
        release: { type: 'string', default: version },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
};

const { values, positionals: asked } = commandLine();
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
for (const name of asked.filter((each) => !isName(each))) {
  const near = nearest(name, Object.keys(targets));
  wrong(`There is no program "${name}".${near === undefined ? '' : ` Did you mean ${near}?`}`);
}
if (!isVersion(values.release)) wrong(`--release must be a version like 1.2.0, not "${values.release}"`);
const names = asked.length === 0 ? Object.keys(targets) : asked;
for (const name of names.filter(isName)) {
  if (!(await build(name, resolve(values.folder), values.release))) process.exit(1);
}
