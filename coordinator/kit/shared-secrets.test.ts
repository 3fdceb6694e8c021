import { expect, test } from 'bun:test';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeClock } from '../../shared/testing/clock.ts';
import { openDataDirectory } from '../catalogue/data-directory.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { recordedLog } from '../testing/log.ts';
import { entry } from '../testing/store.ts';
import { sharedSecrets } from './shared-secrets.ts';

test('sharedSecrets() names every file with secrets that others can read, and no other', async () => {
  const folder = await temporaryFolder();
  const secrets = ['servers.json', 'turn.secret', 'metrics.token', 'accounts.json', 'journal.jsonl'];
  await folder.write('servers.json', [entry('a', 'Loft')]);
  await folder.write('configuration.json', {
    ip: '127.0.0.1',
    port: '8080',
    time_between_updates_seconds: '30',
    turn: { urls: ['turn:turn.example:3478'], secret_file: 'turn.secret', realm: 'turn.example' },
    metrics_token_file: 'metrics.token',
  });
  for (const name of secrets.slice(1)) writeFileSync(join(folder.path, name), 'secret');
  const data = await openDataDirectory({
    directory: folder.path,
    clock: fakeClock(),
    log: recordedLog().log,
  });
  if ('problems' in data) throw new Error(JSON.stringify(data.problems));
  const { settings, files } = data;
  const found = () =>
    sharedSecrets(folder.path, settings.configuration(), files.servers().servers.length > 0);
  for (const mode of ['0644', '0640', '0604']) {
    for (const name of secrets) chmodSync(join(folder.path, name), Number.parseInt(mode, 8));
    expect(await found()).toEqual(secrets.toSorted().map((name) => `${join(folder.path, name)} (${mode})`));
  }
  for (const name of secrets) chmodSync(join(folder.path, name), 0o600);
  expect(await found()).toEqual([]);
  rmSync(join(folder.path, 'servers.json'));
  expect(await found()).toEqual([]);
  settings.close();
});
