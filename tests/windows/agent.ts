import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Program } from '../../scripts/program.ts';
import { until } from '../e2e/harness.ts';
import { type Rig, startRig } from './rig.ts';

setDefaultTimeout(240_000);

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.stop());

/** A file of Windows, as this machine sees it. */
const onDisk = (path: string): string => join(rig.wine.drive, ...path.split('\\').slice(1));

/** The agent's executable as another release, in that folder. */
const builtRelease = async (release: string, folder: string): Promise<string> => {
  const name = 'session-agent-windows-x64';
  const words = ['scripts/build.ts', name, '--folder', join(folder, release), '--release', release];
  if ((await Bun.spawn([process.execPath, ...words], { stderr: 'ignore' }).exited) !== 0)
    throw new Error(`release ${release} cannot be built`);
  return join(folder, release, `${name}.exe`);
};

/** Waits until the agent has said it that often. */
const said = (agent: Program, msg: string, times: number) =>
  agent.line((line) => line.msg === msg && agent.lines.filter((one) => one.msg === msg).length >= times);

test('a job tells, ends and keeps its processes, also those of exit code 259, and asks a window to close', async () => {
  const { code, out, err } = await rig.wine.run(rig.wine.jobs);
  expect([code, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toEqual({
    still_active: { code: 259, runs: false, born: false },
    tree: { grows: true, weighs: true },
    closed: { pids: [], lives: true },
    found: { same: true },
    left: { gone: true },
    end: { gone: true },
    window: { ends: true },
  });
});

describe('session-agent.exe', () => {
  test('run launches a session with signalling and app, status shows it, and its end takes all of it in a moment', async () => {
    const host = await rig.newHost('хост один', 'Flat', '-Polite');
    const agent = await host.run();
    const session = await rig.begin('Flat');
    await session.ready();
    expect(host.programs()).toHaveLength(2);
    const status = await rig.wine.run(rig.wine.agent, 'status', '--config', host.config);
    expect([status.code, status.out]).toEqual([0, expect.stringContaining('Flat: ready')]);
    const started = performance.now();
    await session.end();
    await host.gone();
    // Both were asked as by Ctrl-Break, for they have no window: their graces (2 s and 5 s) are not waited for.
    expect(performance.now() - started).toBeLessThan(2_000);
    const logs = join(host.here, 'logs');
    expect(existsSync(join(logs, 'agent.log'))).toBeTrue();
    const output = readdirSync(logs).filter((file) => file.endsWith('-app.log'));
    expect(output.map((file) => readFileSync(join(logs, file), 'utf8').includes('goodbye'))).toEqual([true]);
    await host.crash(agent);
  });

  test('an app that ends by itself is started again, and the session goes on until that was too often', async () => {
    const host = await rig.newHost('crash', 'Fragile', '-CrashAfter=1500');
    const agent = await host.run();
    const session = await rig.begin('Fragile');
    await said(agent, 'instance ready', 2);
    expect(await session.ended()).toBe('app_crashed');
    await host.gone();
    await host.crash(agent);
  });

  test('an app that gives up its streamer and runs on counts as hung, and is started again', async () => {
    const host = await rig.newHost('hang', 'Hung', '-DropAfter=3000');
    const agent = await host.run();
    const session = await rig.begin('Hung');
    await said(agent, 'instance ready', 2);
    expect(await session.ended()).toBe('app_hung');
    await host.gone();
    await host.crash(agent);
  });

  test('the end of a session takes what the app has started, also when the app has ended before', async () => {
    const host = await rig.newHost('tree', 'Parent', '-Parent');
    const agent = await host.run();
    const session = await rig.begin('Parent');
    await session.ready();
    const children = () => rig.wine.pids('-Orphan');
    const [child] = children();
    expect(child).toBeNumber();
    await session.end();
    await host.gone();
    await until('the child is gone', children, (pids) => pids.length === 0, 30_000);

    const again = await rig.begin('Parent');
    await again.ready();
    const [kept] = children();
    for (const pid of rig.wine.pids('-Parent')) process.kill(pid, 'SIGKILL');
    await said(agent, 'instance ready', 3);
    // The app is another, and its child too: that of the one before did not stay.
    expect(children()).not.toContain(kept);
    await again.end();
    await until('the child is gone', children, (pids) => pids.length === 0, 30_000);
    await host.crash(agent);
  });

  test('sessions outlive an agent that is killed, and the next one adopts and ends them with all that they started', async () => {
    const host = await rig.newHost('adopt', 'Kept', '-Parent');
    const first = await host.run();
    const session = await rig.begin('Kept');
    await session.ready();
    const before = [...host.programs(), ...rig.wine.pids('-Orphan')];
    expect(before).toHaveLength(3);
    await host.crash(first);
    expect([...host.programs(), ...rig.wine.pids('-Orphan')]).toEqual(before);
    const second = await host.run();
    await said(second, 'adopted', 1);
    await session.ready();
    expect([...host.programs(), ...rig.wine.pids('-Orphan')]).toEqual(before);
    await host.crash(second);
    // As if it had been killed before it could write which processes it had started.
    const journal = join(host.here, 'state', 'journal.jsonl');
    const text = readFileSync(journal, 'utf8').replace(/,?"process":\{[^}]*\}/g, '');
    expect(text).not.toBe(readFileSync(journal, 'utf8'));
    writeFileSync(journal, text.replace(/^.*"is":"started".*\n/gm, ''));
    const third = await host.run();
    expect(await said(third, 'adopted', 1)).toMatchObject({
      app: expect.any(Number),
      signalling: expect.any(Number),
    });
    expect([...host.programs(), ...rig.wine.pids('-Orphan')]).toEqual(before);
    await session.end();
    await host.gone();
    await until(
      'the child is gone',
      () => rig.wine.pids('-Orphan'),
      (pids) => pids.length === 0,
      30_000,
    );
    await host.crash(third);
    expect(readFileSync(join(host.here, 'state', 'journal.jsonl'), 'utf8')).toContain(session.id);
  });

  test('enroll writes its config at the usual place of Windows, and install what a service is, beside the executable', async () => {
    const { agent, drive, run } = rig.wine;
    const token = await rig.tokenFor('usual', 'Usual');
    const enrolled = await run(agent, 'enroll', rig.base, `--token=${token}`);
    const config = String.raw`C:\ProgramData\Vitrina\config.json`;
    expect([enrolled.code, enrolled.out]).toEqual([0, expect.stringContaining(`${config} is written`)]);
    expect(existsSync(join(drive, 'ProgramData', 'Vitrina', 'config.json'))).toBeTrue();
    const installed = await run(agent, 'install');
    expect([installed.code, installed.err]).toEqual([0, '']);
    const xml = readFileSync(onDisk(agent).replace('session-agent.exe', 'vitrina-agent.xml'), 'utf8');
    expect(xml).toContain(`<executable>${agent}</executable>`);
    expect(xml).toContain(config);
  });

  test('updates go on under a session, whichever releases it runs from, and one that does not start is taken back', async () => {
    const host = await rig.newHost('обновление', 'Lasting');
    const executable = host.config.replace('config.json', 'session agent.exe');
    cpSync(onDisk(rig.wine.agent), onDisk(executable));
    let agent = await host.run(executable);
    const session = await rig.begin('Lasting');
    await session.ready();
    const programs = host.programs();

    /** The update of a host with a service manager, which starts whatever is there by then, unless it is `broken`. */
    const update = async (release: string, broken = false) => {
      const file = await builtRelease(release, host.here);
      const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
      const source = host.config.replace('config.json', `${release}\\${basename(file)}`);
      const words = ['update', source, '--sha256', sha256, '--wait', '10', '--config', host.config];
      const updating = rig.wine.run(executable, ...words);
      await agent.exited;
      if (broken) {
        const there = () => readFileSync(onDisk(executable)).equals(readFileSync(file));
        await until('the old file is back', there, (is) => !is, 60_000);
      }
      agent = await host.run(executable);
      return updating;
    };
    for (const release of ['0.9.1', '0.9.2']) {
      expect(await update(release)).toMatchObject({
        code: 0,
        out: expect.stringContaining(`Release ${release} runs and is connected`),
      });
      expect(host.programs()).toEqual(programs);
    }
    const old = readdirSync(host.here).filter((name) => name.endsWith('.old'));
    expect(old).toEqual([expect.stringMatching(/^session agent\.exe\.previous\.\d+\.old$/)]);
    const refused = await update('0.9.3', true);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('Release 0.9.2 runs again')]);
    expect((await host.status()).version).toBe('0.9.2');
    expect(host.programs()).toEqual(programs);
    await session.end();
    await host.gone();
    await host.crash(agent);
  });
});
