import { afterAll, beforeAll, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { copyFileSync, createWriteStream, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { type Program, startProgram } from '../../scripts/program.ts';
import { type Cutter, startCutter } from '../../shared/testing/cutter.ts';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { openPage, playing, startBrowser } from './browser.ts';
import { executable, startTestSystem, type TestSystem } from './harness.ts';
import { survives, watch } from './stillness.ts';

/**
 * What a visitor notices when the connections behind a stream break: nothing. The link between host and coordinator, the
 * page's own connection, the coordinator itself and the host's agent go away under a picture that plays.
 */
const times = 5;
const patience_ms = 900_000;

let system: TestSystem;
let browser: Browser;
let link: Cutter;
let leg: Cutter;
let port: number;
let coordinator: Program | undefined;
let agent: ReturnType<typeof supervise> | undefined;
let page: Page;

const serve = () => {
  const data = join(system.folder, 'coordinator');
  const command = [executable('coordinator-linux-x64'), 'serve', '--data', data, '--port', String(port)];
  return startProgram(command, {
    log: createWriteStream(join(system.folder, 'logs', 'again.log'), { flags: 'a' }),
    environment: process.env,
  });
};

/** Starts the host's agent again whenever it ends, as a service manager does. */
const supervise = (own: string) => {
  let stopped = false;
  let program: Program | undefined;
  const config = join(system.folder, 'host-1', 'config.json');
  const loop = (async () => {
    while (!stopped) {
      program = startProgram([own, 'run', '--config', config], {
        log: createWriteStream(join(system.folder, 'logs', 'agent-again.log'), { flags: 'a' }),
        environment: { ...process.env, VITRINA_SERVICE: 'test' },
      });
      await program.exited;
    }
  })();
  return {
    executable: own,
    config,
    kill: () => program?.kill('SIGKILL'),
    async stop() {
      stopped = true;
      await program?.stop();
      await loop;
    },
  };
};

/** The agent from now on: the one that the system was started with is killed, which its visitors do not notice. */
const supervised = async () => {
  if (agent !== undefined) return agent;
  const own = join(system.folder, 'session-agent');
  copyFileSync(executable('session-agent-linux-x64'), own);
  system.agents[0]?.kill('SIGKILL');
  await system.agents[0]?.exited;
  agent = supervise(own);
  return agent;
};

/** Runs a command to its end. */
const command = async (...words: string[]) => {
  const child = Bun.spawn(words, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const texts = [child.stdout, child.stderr].map((stream) => new Response(stream).text());
  const said = (await Promise.all(texts)).join('');
  if ((await child.exited) !== 0) throw new Error(`${words.join(' ')}: ${said}`);
};

beforeAll(async () => {
  port = await freePorts();
  [link, leg] = await Promise.all([startCutter(port), startCutter(port)]);
  const publicUrl = `http://127.0.0.1:${link.port}`;
  [system, browser] = await Promise.all([startTestSystem([{}], {}, { port, publicUrl }), startBrowser()]);
  page = await openPage(browser, `http://127.0.0.1:${leg.port}`, watch);
  await page.getByRole('button', { name: 'Start' }).first().click();
  await page.waitForURL(/\/s\//);
  await playing(page);
}, patience_ms);

afterAll(async () => {
  await browser?.close();
  await agent?.stop();
  await coordinator?.stop();
  await system?.stop();
  await Promise.all([link?.stop(), leg?.stop()]);
}, 300_000);

/** The last one is silent: nothing is reset, so both ends have to find out by themselves. */
const cuts_ms = [100, 500, 2_000, 5_000, 20_000];
const cutOnce = (cutter: Cutter, round: number) =>
  cutter.cutFor(round === times - 1 ? 'silent' : 'hard', cuts_ms[round] ?? 0);

test(
  'link cut: the picture goes on, and input works',
  () => survives(page, (round) => cutOnce(link, round), times),
  patience_ms,
);

test(
  "cut of the page's own connection: the picture goes on, and input works",
  async () => {
    await survives(page, (round) => cutOnce(leg, round), times);
    const note = page.locator('.away');
    leg.cut('hard');
    await note.waitFor();
    leg.mend();
    await note.waitFor({ state: 'detached' });
  },
  patience_ms,
);

test(
  'coordinator killed and started again: the picture goes on, and input works',
  () =>
    survives(
      page,
      async () => {
        const former = coordinator ?? system.coordinator;
        former.kill('SIGKILL');
        await former.exited;
        coordinator = serve();
        await coordinator.line(({ msg }) => msg === 'listening');
      },
      times,
    ),
  patience_ms,
);

test(
  'agent killed and started again: the picture goes on, and input works',
  () =>
    survives(
      page,
      async (round) => {
        const service = await supervised();
        if (round > 0) service.kill();
      },
      times,
    ),
  patience_ms,
);

test(
  'agent updated, and taken back to the release before: the picture goes on, and input works',
  async () => {
    const root = resolve(import.meta.dir, '..', '..');
    const folder = join(system.folder, 'newer');
    const build = [process.execPath, join(root, 'scripts', 'build.ts'), 'session-agent-linux-x64'];
    await command(...build, '--folder', folder, '--release', '9.9.9');
    const { executable: own, config } = await supervised();
    const releases = [join(folder, 'session-agent-linux-x64'), executable('session-agent-linux-x64')];
    const update = async (round: number) => {
      const file = releases[round] ?? '';
      const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
      await command(own, 'update', file, '--sha256', digest, '--allow-older', '--config', config);
    };
    await survives(page, update, releases.length);
  },
  patience_ms,
);
