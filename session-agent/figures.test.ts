import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLog } from '../shared/log.ts';
import { hostFiguresSchema } from '../shared/protocol/agent-link.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { Figures } from './figures.ts';

setDefaultTimeout(120_000);
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const moment = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Figures on a clock that the test moves, on a machine with that nvidia-smi, a shell script, or without. */
const measured = (script?: string, machine: Pick<typeof os, 'cpus' | 'freemem' | 'totalmem'> = os) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-figures-'));
  const smi = join(folder, 'nvidia-smi');
  const install = (text: string) => {
    writeFileSync(smi, `#!/bin/sh\necho "$*" >> ${folder}/asked\n${text}\n`);
    chmodSync(smi, 0o755);
  };
  if (script !== undefined) install(script);
  const clock = fakeClock();
  const lines: { msg: string; problem?: string; cards?: string[] }[] = [];
  const waiters = new Set<() => void>();
  const log = createLog('test', 'debug', {
    write: (line) => {
      lines.push(JSON.parse(line));
      for (const look of [...waiters]) look();
    },
  });
  const figures = new Figures({ environment: { PATH: `${folder}` }, clock, log, machine });
  stops.push(() => {
    figures.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  figures.start();
  return {
    ...{ figures, clock, install, lines },
    asked: () => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n'),
    /** Waits, while the clock stands still, until nvidia-smi has answered. */
    answered: async () => {
      while (clock.pending() > 1) await moment();
    },
    /** Lets time pass until nvidia-smi is asked once more. */
    askedAgain: async () => {
      for (clock.advance(5_000); clock.pending() < 2; clock.advance(5_000)) await moment();
    },
    /** The next line with that text; lines before it are forgotten. */
    logged: (text: string) =>
      new Promise<(typeof lines)[number]>((resolve) => {
        const look = () => {
          const at = lines.findIndex(({ msg }) => msg.includes(text));
          const line = lines[at];
          if (line === undefined) return;
          lines.splice(0, at + 1);
          waiters.delete(look);
          resolve(line);
        };
        waiters.add(look);
        look();
      }),
  };
};

const l4 = 'echo "0, NVIDIA L4, 40, 1234, 23034, 51, 12"';

test('Figures() tells processors and memory with every heartbeat, and no cards where there is no nvidia-smi', async () => {
  const { figures, clock, lines } = measured();
  const first = figures.last();
  expect(first).toMatchObject({ cpu_percent: null, cards: [] });
  let busy = 0;
  while (figures.last() === first || figures.last()?.cpu_percent === null) {
    for (let round = 0; round < 1e7; round++) busy += round % 7;
    clock.advance(5_000);
  }
  expect(busy).toBeGreaterThan(0);
  const last = figures.last();
  expect(hostFiguresSchema.safeParse(last).success).toBeTrue();
  expect(last?.cpu_percent).toBeWithin(0, 100.1);
  expect(lines).toEqual([]);
});

test('Figures() asks nvidia-smi four times a minute at most, and never a second one beside the first', async () => {
  const { figures, clock, logged, install, answered, askedAgain, asked } = measured(l4);
  expect((await logged('graphics cards')).cards).toEqual(['0: NVIDIA L4']);
  expect(figures.last()?.cards).toMatchObject([{ index: 0, busy_percent: 40, encoder_percent: 12 }]);
  install('exec /bin/sleep 600');
  clock.advance(14_999);
  expect(clock.pending()).toBe(1);
  clock.advance(1);
  expect(clock.pending()).toBe(2);
  // Its patience runs out: then nothing is known, and it is asked again once the first is gone.
  clock.advance(4_999);
  expect(figures.last()?.cards).toHaveLength(1);
  clock.advance(1);
  expect((await logged('does not tell')).problem).toContain('no answer within 5000 ms');
  expect(figures.last()?.cards).toEqual([]);
  install(`${l4}; echo "1, NVIDIA L4, 0, 0, 23034, 40, 0"`);
  await askedAgain();
  await answered();
  expect((await logged('graphics cards')).cards).toEqual(['0: NVIDIA L4', '1: NVIDIA L4']);
  expect(asked().every((line) => line.endsWith('--format=csv,noheader,nounits'))).toBeTrue();
});

test('Figures() does without the encoder where the driver does not know it', async () => {
  const { figures, answered, askedAgain, asked } = measured(
    `case "$*" in *encoder*) echo 'Field "utilization.encoder" is not a valid field to query.'; exit 2;; esac
     echo "0, Old, 1, 2, 3, 4"`,
  );
  for (let round = 0; round < 3; round++) {
    await answered();
    await askedAgain();
  }
  await answered();
  expect(figures.last()?.cards).toMatchObject([{ name: 'Old', encoder_percent: null }]);
  expect(asked().map((line) => line.includes('encoder'))).toEqual([true, false, false, false]);
});

test('Figures() says once why nvidia-smi fails, and again after it has worked', async () => {
  const { logged, install, lines, answered, askedAgain } = measured('echo "NVML: driver not loaded"; exit 9');
  const again = async (script: string) => {
    install(script);
    await askedAgain();
    await answered();
  };
  expect((await logged('does not tell')).problem).toBe('NVML: driver not loaded');
  await again('exit 1');
  await again(l4);
  await again('exit 1');
  expect(lines.map(({ msg }) => msg)).toEqual([
    'graphics cards',
    'nvidia-smi does not tell of the graphics cards',
  ]);
});

test('stop() of Figures() ends the measuring and nvidia-smi, and may be called twice', async () => {
  const { figures, clock, lines } = measured('exec /bin/sleep 600');
  figures.stop();
  figures.stop();
  figures.start();
  const last = figures.last();
  clock.advance(60_000);
  expect(figures.last()).toBe(last);
  expect(lines).toEqual([]);
});

const silent = () => {
  throw new Error('Failed to get CPU information');
};
/** As Bun does it: the list is there, and throws when it is looked into. */
const lazily = () => new Proxy(os.cpus(), { get: silent });

test.each([
  ['no processors', { cpus: silent }, ['cpu_percent']],
  ['processors that throw when they are looked at', { cpus: lazily }, ['cpu_percent']],
  ['an empty list of processors', { cpus: () => [] }, ['cpu_percent']],
  ['no memory', { totalmem: silent }, ['memory_used_mb', 'memory_total_mb']],
  ['no free memory', { freemem: silent }, ['memory_used_mb']],
  ['more free memory than there is', { freemem: () => os.totalmem() * 2 }, ['memory_used_mb']],
  ['a memory that is no number', { totalmem: () => Number.NaN }, ['memory_used_mb', 'memory_total_mb']],
] as const)('Figures() goes on where the machine tells %s', (_, taken, unknown) => {
  const { figures, clock, lines } = measured(undefined, { ...os, ...taken });
  clock.advance(60_000);
  const last = hostFiguresSchema.parse(figures.last());
  for (const name of unknown) expect([name, last[name]]).toEqual([name, null]);
  if (!unknown.some((name) => name === 'memory_total_mb')) expect(last.memory_total_mb).toBeGreaterThan(0);
  expect(lines.length).toBeLessThanOrEqual(1);
});

test('Figures() measures again what could be read again', () => {
  let broken = true;
  const { figures, clock, lines } = measured(undefined, {
    ...os,
    totalmem: () => (broken ? silent() : 1_048_576),
  });
  broken = false;
  clock.advance(5_000);
  expect(figures.last()?.memory_total_mb).toBe(1);
  broken = true;
  clock.advance(10_000);
  expect(lines.map(({ msg }) => msg)).toEqual(['a figure cannot be read', 'a figure cannot be read']);
});

test.each(['/proc/stat', '/proc/meminfo', '/proc/cpuinfo'])(
  'Figures() outlives a machine whose %s says nothing',
  (file) => {
    const text = `import { Figures } from ${JSON.stringify(resolve(import.meta.dir, 'figures.ts'))};
import { fakeClock } from ${JSON.stringify(resolve(import.meta.dir, '../shared/testing/clock.ts'))};
import { silentLog } from ${JSON.stringify(resolve(import.meta.dir, '../shared/log.ts'))};
const clock = fakeClock();
const figures = new Figures({ environment: {}, clock, log: silentLog });
figures.start();
clock.advance(5_000);
console.log(JSON.stringify(figures.last()));`;
    const take = 'mount --bind /dev/null "$0" && exec "$@"';
    const { exitCode, stdout, stderr } = Bun.spawnSync(
      ['unshare', '-m', 'sh', '-c', take, file, process.execPath, '-e', text],
      { stdout: 'pipe', stderr: 'pipe' },
    );
    expect([exitCode, stderr.toString()]).toEqual([0, '']);
    const last = hostFiguresSchema.parse(JSON.parse(stdout.toString()));
    if (file === '/proc/stat') expect(last.cpu_percent).toBeNull();
    expect(last.memory_total_mb).toBeGreaterThan(0);
  },
);

test('Figures() outlives an nvidia-smi that cannot be run, and one that says anything', async () => {
  const { figures, logged, install, answered, askedAgain } = measured('exit 1');
  await logged('does not tell');
  for (const script of [
    'head -c 100000 /dev/urandom',
    'echo ",,,,,,"; echo "0,x,nan,-5,1e99,9999,?"',
    'kill -9 $$',
  ]) {
    install(script);
    await askedAgain();
    await answered();
    expect(hostFiguresSchema.safeParse(figures.last()).success).toBeTrue();
  }
});
