import { expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { sampleDeployment } from '../testing/deployment.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { systemd } from './systemd.ts';

setDefaultTimeout(60_000);

/** Of 10; the unit is told to be at most 3. */
const exposure_most = 3;

const run = async (...command: string[]) => {
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exit: await child.exited, out, err };
};

test('systemd() is a unit that systemd takes and finds little to say about', async () => {
  await using folder = await temporaryFolder();
  const strange = '/srv/100% "new" $HOME';
  expect(systemd({ ...sampleDeployment, data: strange })).toContain('--data "/srv/100%% \\"new\\" $$HOME" ');
  for (const [port, data] of [
    [8080, '/var/lib/vitrina'],
    [443, '/var/lib/vitrina'],
    [8081, strange],
  ] as const) {
    const unit = systemd({ ...sampleDeployment, port, data });
    expect(unit).toContain('ExecStart=/usr/local/bin/coordinator serve --data ');
    expect(unit).toContain(` --port ${port}\n`);
    expect(unit.includes('AmbientCapabilities=CAP_NET_BIND_SERVICE')).toBe(port < 1024);
    const name = `vitrina-${port}.service`;
    await folder.write(name, unit.replace('/usr/local/bin/coordinator', '/usr/bin/env'));
    const file = join(folder.path, name);
    const { err } = await run('systemd-analyze', 'verify', file);
    expect(err.split('\n').filter((line) => line.includes('vitrina'))).toEqual([]);
    const { exit, out } = await run(
      ...['systemd-analyze', 'security', '--offline=true', `--threshold=${exposure_most * 10}`, file],
    );
    expect([exit, out.split('\n').find((line) => line.includes('Overall'))]).toEqual([
      0,
      expect.stringContaining('vitrina-'),
    ]);
  }
});
