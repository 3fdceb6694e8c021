import { describe, expect, test } from 'bun:test';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { testTerminal } from '../testing/terminal.ts';
import { giveAway } from './give-away.ts';

const me = process.getuid?.() ?? 0;
/** Root gives to another account; whoever else runs this can only give to itself. */
const account = me === 0 ? 65_534 : me;

/** What `enroll` and a first `run` by root leave. */
const withAgent = () => {
  const under = testTerminal();
  const file = join(under.folder, 'config.json');
  const config = { log_folder: join(under.folder, 'logs'), state_folder: join(under.folder, 'state') };
  writeFileSync(file, '{}');
  for (const folder of Object.values(config)) mkdirSync(folder);
  writeFileSync(join(config.log_folder, 'agent.log'), '');
  writeFileSync(join(config.state_folder, 'lock'), '');
  const outside = join(under.folder, 'shadow');
  writeFileSync(outside, '');
  const installation = { file, config };
  return { ...under, ...config, file, installation, outside, [Symbol.dispose]: under[Symbol.dispose] };
};
const ownerOf = (path: string) => statSync(path).uid;

describe('giveAway()', () => {
  test('giveAway() gives config.json, the two folders and what the agent keeps there', () => {
    using under = withAgent();
    const { log_folder, state_folder, file } = under;
    const inside = [join(log_folder, 'agent.log'), join(state_folder, 'lock')];
    expect(giveAway(account, under.installation)).toEqual([]);
    expect([file, log_folder, state_folder, ...inside].map(ownerOf)).toEqual(Array(5).fill(account));
    // Again, after root has run the agent once more, and without a folder.
    writeFileSync(join(log_folder, 's-1-app.log'), '');
    rmSync(state_folder, { recursive: true });
    expect(giveAway(account, under.installation)).toEqual([]);
    expect([join(log_folder, 's-1-app.log'), state_folder].map(ownerOf)).toEqual([account, account]);
  });

  test('giveAway() follows no link of the account that has the folders already', () => {
    using under = withAgent();
    const { log_folder, outside } = under;
    giveAway(account, under.installation);
    symlinkSync(outside, join(log_folder, 'a-1-app.log'));
    linkSync(outside, join(log_folder, 'a-2-app.log'));
    mkdirSync(join(log_folder, 'a-3-app.log'));
    writeFileSync(join(log_folder, 'notes'), '');
    expect(giveAway(account, under.installation).sort()).toEqual(
      ['a-1-app.log', 'a-2-app.log', 'a-3-app.log'].map((name) => join(log_folder, name)),
    );
    expect([outside, join(log_folder, 'notes')].map(ownerOf)).toEqual([me, me]);
  });

  test('giveAway() refuses a config.json or a folder that is a link', () => {
    using under = withAgent();
    const { file, folder, log_folder, installation, outside } = under;
    rmSync(file);
    symlinkSync(outside, file);
    expect(() => giveAway(account, installation)).toThrow('is a link');
    rmSync(file);
    linkSync(outside, file);
    expect(() => giveAway(account, installation)).toThrow('is a link');
    renameSync(log_folder, join(folder, 'elsewhere'));
    symlinkSync('/var/log', log_folder);
    expect(() => giveAway(65_534, installation)).toThrow(/holds other things|is a link/);
    expect([outside, join(folder, 'elsewhere')].map(ownerOf)).toEqual([me, me]);
  });

  test("giveAway() refuses a folder that holds other things, or is the system's, and says what to choose", () => {
    using under = withAgent();
    const { file, folder, log_folder, state_folder } = under;
    writeFileSync(join(log_folder, 'dpkg.log'), '');
    for (const [config, says] of [
      [{ log_folder, state_folder }, "holds other things than the agent's (dpkg.log)"],
      [{ log_folder: '/etc/cron.d/vitrina', state_folder }, 'belongs to the system'],
      [{ log_folder: '/var/spool/vitrina', state_folder }, 'belongs to the system'],
      [{ log_folder: folder, state_folder }, 'Choose another "log_folder"'],
    ] as const) {
      expect(() => giveAway(65_534, { file, config })).toThrow(says);
    }
    rmSync(join(log_folder, 'dpkg.log'));
    writeFileSync(join(state_folder, 'saved.game'), '');
    expect(() => giveAway(65_534, under.installation)).toThrow('config.json in a folder of its own');
    expect([file, log_folder, state_folder].map(ownerOf)).toEqual([me, me, me]);
    expect(readdirSync('/etc/cron.d')).not.toContain('vitrina');
  });
});
