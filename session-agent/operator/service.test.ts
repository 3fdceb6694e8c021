import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemdUnit, windowsWord, winswXml } from './service.ts';

setDefaultTimeout(120_000);

const service = {
  executable: '/usr/bin/env',
  config: '/etc/vitrina/config.json',
  folders: ['/var/log/vitrina-agent', '/var/lib/vitrina-agent'],
};

/** What systemd says of a unit, without what it says of others. */
const complaints = async (unit: string): Promise<string[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-unit-'));
  const file = join(folder, 'vitrina-agent.service');
  writeFileSync(file, unit);
  const verify = Bun.spawn(['systemd-analyze', 'verify', file], { stdout: 'ignore', stderr: 'pipe' });
  const said = await verify.stderr.text();
  await verify.exited;
  rmSync(folder, { recursive: true });
  return said.split('\n').filter((line) => line.includes('vitrina'));
};

describe('systemdUnit()', () => {
  test('systemdUnit() is a unit that systemd takes, with and without an account, with strange paths too', async () => {
    expect(await complaints(systemdUnit(service))).toEqual([]);
    expect(await complaints(systemdUnit({ ...service, user: 'daemon' }))).toEqual([]);
    const strange = {
      ...service,
      config: '/srv/100% "new" $HOME/config.json',
      folders: ['/srv/a b', '/srv/100%'],
    };
    expect(await complaints(systemdUnit(strange))).toEqual([]);
    expect(systemdUnit(strange)).toContain('--config "/srv/100%% \\"new\\" $$HOME/config.json"');
    expect(
      await complaints(systemdUnit(service).replace('KillMode=process', 'KillMode=everything')),
    ).not.toEqual([]);
  });

  test('systemdUnit() starts the agent again whatever ends it, and leaves its children alone', () => {
    const lines = systemdUnit({ ...service, user: 'vitrina' }).split('\n');
    for (const line of [
      'Restart=always',
      'KillMode=process',
      'User=vitrina',
      'After=network-online.target',
    ]) {
      expect(lines).toContain(line);
    }
    // Each of these would keep drivers or engines from working.
    const harmful =
      /^(PrivateDevices|Device\w+|ProtectClock|MemoryDenyWriteExecute|PrivateTmp|ProtectHome|RestrictNamespaces)=/;
    expect(lines.filter((line) => harmful.test(line))).toEqual([]);
    expect(systemdUnit(service)).not.toContain('User=');
  });
});

/** Of 10; the unit is told to be at most 6. */
const exposure_most = 6;

test('systemdUnit() leaves systemd little to say, as root and as an account of its own', async () => {
  for (const user of [undefined, 'daemon']) {
    const folder = mkdtempSync(join(tmpdir(), 'vitrina-unit-'));
    const file = join(folder, 'vitrina-agent.service');
    writeFileSync(file, systemdUnit({ ...service, user }));
    const threshold = `--threshold=${exposure_most * 10}`;
    const security = Bun.spawn(['systemd-analyze', 'security', '--offline=true', threshold, file], {
      stdout: 'pipe',
    });
    const said = await security.stdout.text();
    rmSync(folder, { recursive: true });
    expect([await security.exited, said.split('\n').find((line) => line.includes('Overall'))]).toEqual([
      0,
      expect.stringContaining('vitrina-agent'),
    ]);
  }
});

describe('winswXml()', () => {
  const windows = {
    executable: 'C:\\Program Files\\R&D\\session-agent.exe',
    config: 'C:\\Program Files\\R&D\\config.json',
    folders: [],
  };

  test('winswXml() names program and config.json, quoted and escaped, and starts again what fails', () => {
    const text = winswXml(windows);
    expect(text).toContain('<executable>C:\\Program Files\\R&amp;D\\session-agent.exe</executable>');
    expect(text).toContain(
      '<arguments>run --config &quot;C:\\Program Files\\R&amp;D\\config.json&quot;</arguments>',
    );
    expect(text).toContain('<onfailure action="restart" delay="2 sec" />');
    expect(text).not.toContain('serviceaccount');
    expect(winswXml({ ...windows, user: '.\\vitrina' })).toContain('<username>.\\vitrina</username>');
  });

  test('winswXml() is well-formed XML', async () => {
    const seen: string[] = [];
    let depth = 0;
    for (const [, closing, name = '', self] of winswXml({ ...windows, user: 'a' }).matchAll(
      /<(\/?)([a-z]+)[^<>]*?(\/?)>/g,
    )) {
      if (closing === '/') depth -= 1;
      else if (self !== '/') depth += 1;
      seen.push(name);
    }
    expect([depth, seen[0], seen.at(-1)]).toEqual([0, 'service', 'service']);
  });
});

test('windowsWord() is one word for CommandLineToArgvW', () => {
  expect(windowsWord('C:\\a\\b.json')).toBe('C:\\a\\b.json');
  expect(windowsWord('C:\\a b\\')).toBe('"C:\\a b\\\\"');
  expect(windowsWord('say "hi"')).toBe('"say \\"hi\\""');
  expect(windowsWord('')).toBe('""');
});
