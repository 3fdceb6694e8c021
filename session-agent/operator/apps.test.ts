import { describe, expect, test } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAgentConfig } from '../config.ts';
import { testTerminal } from '../testing/terminal.ts';
import { addApp, listApps, removeApp } from './apps.ts';

const text = `// Our first host.
{
  "coordinator": "https://coordinator.example", // by way of nginx
  "server_name": "host-1",
  "key": "sixteen characters",
  "seats": 1,
  "ports": { "from": 24000, "to": 24099 },
}
`;

const withConfig = () => {
  const under = testTerminal();
  const file = join(under.folder, 'config.json');
  writeFileSync(file, text, { mode: 0o600 });
  const read = async () => {
    const result = await readAgentConfig(file);
    if ('problems' in result) throw new Error(JSON.stringify(result.problems));
    return { file, config: result.value };
  };
  return { ...under, file, read, [Symbol.dispose]: under[Symbol.dispose] };
};

const loft = { rc_name: 'Loft', path: process.execPath, arguments: ['-Quality=Epic'] };

describe('addApp()', () => {
  test('addApp() adds to config.json, keeps its comments and its mode, and removeApp() takes it out again', async () => {
    using under = withConfig();
    await addApp(await under.read(), loft);
    await addApp(await under.read(), {
      rc_name: 'Villa',
      path: process.execPath,
      arguments: [],
      engine: '5.7',
    });
    const { config } = await under.read();
    expect(config.apps.map(({ rc_name, path, engine }) => [rc_name, path, engine])).toEqual([
      ['Loft', process.execPath, undefined],
      ['Villa', process.execPath, '5.7'],
    ]);
    expect(config.apps[0]?.arguments).toEqual(['-Quality=Epic']);
    expect(config.apps[1]?.arguments).toEqual([]);
    removeApp(await under.read(), 'Loft');
    const after = readFileSync(under.file, 'utf8');
    expect((await under.read()).config.apps.map(({ rc_name }) => rc_name)).toEqual(['Villa']);
    expect(after).toContain('// Our first host.');
    expect(after).toContain('// by way of nginx');
    expect(statSync(under.file).mode & 0o777).toBe(0o600);
  });

  test('addApp() refuses what cannot be launched, and leaves the file as it was', async () => {
    using under = withConfig();
    const wrong: [object, string][] = [
      [{ path: '/nowhere/loft' }, 'does not exist'],
      [{ path: under.file }, 'not executable'],
      [{ path: under.folder }, 'is not a file'],
      [{ path: 'loft' }, 'must be an absolute path'],
      [{ path: '/opt/loft.bat' }, 'not a .bat'],
      [{ arguments: ['{nothing}'] }, 'is no placeholder'],
      [
        { engine: '4.26' },
        'engine: must be 4.27 or newer: the Pixel Streaming of 4.26 speaks another protocol',
      ],
      [{ engine: 'five' }, 'engine: like "5.7"'],
    ];
    for (const [change, says] of wrong) {
      await expect(addApp(await under.read(), { ...loft, ...change })).rejects.toThrow(says);
    }
    expect(readFileSync(under.file, 'utf8')).toBe(text);
    await addApp(await under.read(), loft);
    await expect(addApp(await under.read(), loft)).rejects.toThrow('There is an app "Loft" already');
  });
});

test('removeApp() refuses an app that is not there', async () => {
  using under = withConfig();
  const found = await under.read();
  expect(() => removeApp(found, 'Loft')).toThrow('has no app "Loft"');
});

test('listApps() shows each app with its command line and what is wrong with it', async () => {
  using under = withConfig();
  await addApp(await under.read(), loft);
  const { config } = await under.read();
  const [app] = config.apps;
  if (app === undefined) throw new Error('no app');
  expect(await listApps({ apps: [app, { ...app, rc_name: 'Villa', path: '/nowhere/villa' }] })).toEqual([
    `Loft  ${process.execPath} -Quality=Epic`,
    'Villa  /nowhere/villa -Quality=Epic\n  cannot be launched: /nowhere/villa does not exist',
  ]);
});
