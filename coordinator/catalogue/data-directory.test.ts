import { describe, expect, test } from 'bun:test';
import { describeProblem } from '../../shared/config.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { encodings } from '../../shared/testing/encodings.ts';
import type { Settings } from '../kit/data-directory.ts';
import { type Folder, temporaryFolder } from '../testing/folder.ts';
import { recordedLog } from '../testing/log.ts';
import { entry } from '../testing/store.ts';
import { openDataDirectory } from './data-directory.ts';

const settings = { ip: '127.0.0.1', port: '8080', time_between_updates_seconds: '30' };

const filled = async (): Promise<Folder> => {
  const folder = await temporaryFolder();
  await folder.write('servers.json', [entry('a', 'Loft', { picture: 'loft.svg' })]);
  await folder.write('configuration.json', settings);
  return folder;
};

const open = async (folder: Folder) => {
  const clock = fakeClock();
  const recorded = recordedLog();
  const data = await openDataDirectory({ directory: folder.path, clock, log: recorded.log });
  if ('problems' in data) throw new Error(data.problems.map(describeProblem).join('\n'));
  return { store: data.settings, files: data.files, clock, ...recorded };
};

/** Lets the interval pass and the reading end: the store is read again when the next interval's tick may start it. */
const reread = async ({
  store,
  clock,
}: {
  store: Settings;
  clock: ReturnType<typeof fakeClock>;
}): Promise<void> => {
  clock.advance(30_000);
  await store.refresh();
};

describe('openDataDirectory()', () => {
  test('openDataDirectory() reports every problem of both files at once', async () => {
    await using folder = await temporaryFolder();
    await folder.write('servers.json', '[\n {"server_name": ""}\n]');
    const store = await openDataDirectory({
      directory: folder.path,
      clock: fakeClock(),
      log: recordedLog().log,
    });
    const texts = 'problems' in store ? store.problems.map(describeProblem) : [];
    expect(texts.join('\n')).toContain('servers.json:2 [0].server_name: must not be empty');
    expect(texts.join('\n')).toContain('servers.json:2 [0].rc_info');
    expect(texts.join('\n')).toContain('configuration.json:1: cannot be read');
  });

  test('openDataDirectory() reads files of any encoding that Windows writes', async () => {
    for (const encode of Object.values(encodings)) {
      await using folder = await filled();
      const turn = { urls: ['turn:turn.example:3478'], secret_file: 'turn.secret' };
      const written = { ...settings, turn, metrics_token_file: 'metrics.token' };
      await folder.write('configuration.json', encode(JSON.stringify(written)));
      await folder.write('turn.secret', encode('north\r\n'));
      await folder.write('metrics.token', encode('token\r\n'));
      const { store } = await open(folder);
      expect([store.secret('turn'), store.secret('metrics')]).toEqual(['north', 'token']);
    }
  });

  test('openDataDirectory() reads the secrets that configuration.json names, again with it, and names one that is missing', async () => {
    await using folder = await filled();
    const turn = { urls: ['turn:turn.example:3478'], secret_file: 'turn.secret' };
    const written = JSON.stringify({ ...settings, turn }, null, 2);
    const lineOf = (key: string) => written.slice(0, written.indexOf(`"${key}"`)).split('\n').length;
    await folder.write('configuration.json', written);
    const options = { directory: folder.path, clock: fakeClock(), log: recordedLog().log };
    const missing = await openDataDirectory(options);
    const texts = 'problems' in missing ? missing.problems.map(describeProblem) : [];
    expect(texts.join()).toMatch(/turn.secret_file: .*turn.secret cannot be read: /);
    expect(texts.join()).toContain(`configuration.json:${lineOf('secret_file')} turn.secret_file`);
    await folder.write('turn.secret', ' \n');
    expect(await openDataDirectory(options)).toHaveProperty('problems');

    await folder.write('turn.secret', 'north\n');
    const opened = await open(folder);
    const { store } = opened;
    expect([store.secret('turn'), store.secret('metrics'), store.health()]).toEqual([
      'north',
      undefined,
      { ok: true },
    ]);
    await folder.write('turn.secret', 'south');
    await reread(opened);
    expect(store.secret('turn')).toBe('south');
    await folder.remove('turn.secret');
    await reread(opened);
    await reread(opened);
    expect([store.secret('turn'), store.health().note]).toEqual(['south', expect.any(String)]);
    expect(opened.messages('error')).toEqual(['a secret cannot be read']);
    await folder.write('configuration.json', settings);
    await reread(opened);
    expect([store.secret('turn'), store.health()]).toEqual([undefined, { ok: true }]);
  });

  test('openDataDirectory() puts an edit in force after the interval and tells who listens', async () => {
    await using folder = await filled();
    const opened = await open(folder);
    const { store, files, clock } = opened;
    const changed = Promise.withResolvers<void>();
    store.onChange(() => changed.resolve());
    await folder.write('servers.json', [entry('b', 'Villa')]);
    clock.advance(29_999);
    store.tick();
    expect([...files.servers().apps.keys()]).toEqual(['Loft']);
    clock.advance(1);
    store.tick();
    await changed.promise;
    expect([...files.servers().apps.keys()]).toEqual(['Villa']);
    expect(opened.messages('info')).toEqual(['the data directory has changed']);
  });

  test('openDataDirectory() keeps the last good content through a broken edit, logged once with its place', async () => {
    await using folder = await filled();
    const opened = await open(folder);
    const { store, files } = opened;
    await folder.write('servers.json', '[\n\n{"server_name": "a", "port": -1}]');
    await reread(opened);
    await reread(opened);
    expect([...files.servers().apps.keys()]).toEqual(['Loft']);
    expect(store.health()).toMatchObject({ ok: true, note: expect.stringContaining('broken') });
    const errors = opened.lines().filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors[0])).toContain('servers.json:3 [0].port: ');

    await folder.write('servers.json', '[');
    await reread(opened);
    expect(opened.messages('error')).toHaveLength(2);

    await folder.write('servers.json', [entry('b', 'Villa')]);
    await reread(opened);
    expect(opened.messages('info')).toEqual([
      'the file is good again and in force',
      'the data directory has changed',
    ]);
    expect([...files.servers().apps.keys()]).toEqual(['Villa']);
    expect(store.health()).toEqual({ ok: true });
  });

  test('openDataDirectory() says that it is good again when the old content comes back', async () => {
    await using folder = await filled();
    const opened = await open(folder);
    await folder.remove('configuration.json');
    await reread(opened);
    expect(opened.store.health().ok).toBe(false);
    expect(opened.store.configuration().port).toBe(8080);
    await folder.write('configuration.json', settings);
    await reread(opened);
    expect(opened.store.health()).toEqual({ ok: true });
    expect(opened.messages('info')[0]).toBe('the file is good again and in force');
  });

  test('openDataDirectory() applies a new interval, and says that a new port needs a restart', async () => {
    await using folder = await filled();
    const opened = await open(folder);
    await folder.write('configuration.json', { ...settings, port: 9, time_between_updates_seconds: 5 });
    await reread(opened);
    expect(opened.messages('warn')).toEqual([
      'ip and port of configuration.json take effect when the coordinator is started again',
    ]);
    await folder.write('servers.json', []);
    const changed = Promise.withResolvers<void>();
    opened.store.onChange(() => changed.resolve());
    opened.clock.advance(5_000);
    opened.store.tick();
    await changed.promise;
    expect(opened.files.servers().servers).toEqual([]);
  });

  test('openDataDirectory() has pictures in its folder only', async () => {
    await using folder = await filled();
    const { files, messages } = await open(folder);
    expect(await files.pictures.read('loft.svg')).toBeUndefined();
    expect(messages('warn')).toEqual(['the picture is not in pictures/']);
    await folder.write('pictures/loft.svg', '<svg/>');
    const picture = await files.pictures.read('loft.svg');
    expect([picture?.type, await picture?.text()]).toEqual(['image/svg+xml', '<svg/>']);
    expect(await files.pictures.read('../servers.json')).toBeUndefined();
  });

  test('openDataDirectory() after close() reads no more', async () => {
    await using folder = await filled();
    const { store, files, clock } = await open(folder);
    store.close();
    await folder.write('servers.json', []);
    clock.advance(60_000);
    store.tick();
    await store.refresh();
    expect([...files.servers().apps.keys()]).toEqual(['Loft']);
  });
});
