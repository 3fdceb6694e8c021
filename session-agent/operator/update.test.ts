import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { type AgentConfig, configSchema, located } from '../config.ts';
import { lockFile } from '../processes/lock.ts';
import { answering } from '../testing/answering.ts';
import { testTerminal } from '../testing/terminal.ts';
import { sleep } from '../wait.ts';
import { update } from './update.ts';

setDefaultTimeout(120_000);

const program = (version: string): string => `#!/bin/sh\necho ${version}\n`;
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A "program" of release 1.0.0, and one of 2.0.0 beside it. */
const withPrograms = (platform: NodeJS.Platform = 'linux') => {
  const under = testTerminal({ platform, clock: systemClock });
  const [executable] = under.terminal.itself;
  const source = join(under.folder, 'download');
  writeFileSync(executable, program('1.0.0'), { mode: 0o755 });
  writeFileSync(source, program('2.0.0'));
  const config: AgentConfig = located(
    configSchema.parse({
      coordinator: 'https://coordinator.example',
      server_name: 'host-1',
      key: 'sixteen characters',
      seats: 1,
      ports: { from: 24_000, to: 24_099 },
    }),
    join(under.folder, 'config.json'),
  );
  const order = { source, config, restart: false, patience_ms: 1_000 };
  return { ...under, executable, source, order, [Symbol.dispose]: under[Symbol.dispose] };
};

describe('update()', () => {
  for (const platform of ['linux', 'win32'] as const) {
    test(`update() swaps the executable on ${platform}, keeps the one before, and leaves nothing else`, async () => {
      using under = withPrograms(platform);
      const { executable, order, terminal, folder } = under;
      await update({ ...order, sha256: digestOf(program('2.0.0')).toUpperCase() }, terminal);
      expect(readFileSync(executable, 'utf8')).toBe(program('2.0.0'));
      expect(statSync(executable).mode & 0o777).toBe(0o755);
      expect(readFileSync(`${executable}.previous`, 'utf8')).toBe(program('1.0.0'));
      expect(readdirSync(folder).sort()).toEqual([
        'download',
        'session-agent',
        'session-agent.lock',
        'session-agent.previous',
      ]);
      expect(under.said.join('\n')).toContain('is release 2.0.0 now');
      writeFileSync(under.source, program('3.0.0'));
      await update({ ...order, sha256: digestOf(program('3.0.0')) }, terminal);
      // Once more is one time too many: the release before would be lost.
      await update({ ...order, sha256: digestOf(program('3.0.0')) }, terminal);
      expect(under.said.join('\n')).toContain('is that very file already, release 3.0.0');
      expect(readFileSync(`${executable}.previous`, 'utf8')).toBe(program('2.0.0'));
    });
  }

  test('update() fails, with words, when the process that swaps ends without any, and tells what that one says', async () => {
    using under = withPrograms();
    const { executable, order, terminal, folder } = under;
    const stop = answering(join(folder, 'config.json'), { executable, service: 'systemd' });
    const updating = { ...order, restart: true, sha256: digestOf(program('2.0.0')) };
    for (const [script, says] of [
      ['exit 0', 'ended with exit code 0 and has not said how'],
      ['rm "$0".*.update', 'ended with exit code 0 and has not said how'],
      ['echo too bad >&2; exit 1', 'too bad'],
    ] as const) {
      writeFileSync(executable, `#!/bin/sh\n${script}\n`);
      await expect(update(updating, terminal)).rejects.toThrow(says);
    }
    writeFileSync(executable, '#!/bin/sh\necho well\n');
    await update(updating, terminal);
    expect(under.said.at(-1)).toBe('well');
    await stop();
    expect(readdirSync(folder).sort()).toEqual(['download', 'session-agent', 'state']);
  });

  test('update() changes nothing when the file is not what it has to be, or does not run', async () => {
    using under = withPrograms();
    const { executable, order, source, terminal } = under;
    const wrong: [string, Partial<typeof order & { sha256: string }>, string][] = [
      [program('2.0.0'), {}, 'Say what the file has to be'],
      [program('2.0.0'), { sha256: digestOf('else') }, 'The checksum is wrong'],
      [program('2.0.0'), { source: join(under.folder, 'nothing'), sha256: digestOf('') }, 'cannot be read'],
      ['#!/bin/sh\nexit 3\n', { sha256: digestOf('#!/bin/sh\nexit 3\n') }, 'does not run here: exit code 3'],
      ['no program', { sha256: digestOf('no program') }, 'does not run here'],
      [program('not a release'), { sha256: digestOf(program('not a release')) }, 'does not run here'],
      [program('2.0.0'), { sha256: digestOf(program('2.0.0')), restart: true }, 'No agent runs'],
    ];
    for (const [text, change, says] of wrong) {
      writeFileSync(source, text);
      await expect(update({ ...order, ...change }, terminal)).rejects.toThrow(says);
      expect(readFileSync(executable, 'utf8')).toBe(program('1.0.0'));
      expect(readdirSync(under.folder).sort()).toEqual(['download', 'session-agent']);
    }
  });

  test('update() gives up on a file that never says its version, and while another update is under way', async () => {
    using under = withPrograms();
    const { executable, order, source } = under;
    const terminal = { ...under.terminal, clock: under.clock };
    const refused = async (text: string, step_ms = 100): Promise<string> => {
      writeFileSync(source, text);
      let words: string | undefined;
      update({ ...order, sha256: digestOf(text) }, terminal).then(
        () => {
          words = 'done';
        },
        (error: Error) => {
          words = error.message;
        },
      );
      while (words === undefined) {
        await sleep(systemClock, 20);
        under.clock.advance(step_ms);
      }
      return words;
    };
    expect(await refused('#!/bin/sh\nexec sleep 1000\n', 1_000)).toContain(
      'has not said its version within 60 s',
    );
    const lock = lockFile(`${executable}.lock`);
    expect(await refused(program('2.0.0'))).toContain('Another command is changing');
    expect(readFileSync(executable, 'utf8')).toBe(program('1.0.0'));
    lock?.release();
    expect(await refused(program('2.0.0'))).toBe('done');
  });

  test('update() that is told to end in its download removes that, and ends', async () => {
    using under = withPrograms();
    const { executable, order, folder } = under;
    // Says the first piece and no more.
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () =>
        new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(1_000)) })),
    });
    const source = `http://127.0.0.1:${server.port}/session-agent`;
    const updating = update({ ...order, source, sha256: digestOf('') }, under.terminal);
    const fresh = `${executable}.${process.pid}.new`;
    while ((statSync(fresh, { throwIfNoEntry: false })?.size ?? 0) === 0) await sleep(systemClock, 10);
    under.interrupt();
    await expect(updating).rejects.toThrow('was interrupted. Nothing was changed');
    await server.stop(true);
    expect(readdirSync(folder).sort()).toEqual(['download', 'session-agent']);
  });

  test('update() removes what killed updates have left, and nothing of one that is under way', async () => {
    using under = withPrograms();
    const { executable, order, terminal, folder } = under;
    const killed = Bun.spawn(['/bin/true']);
    await killed.exited;
    const gone = killed.pid;
    const kept = [`.${process.ppid}.new`, `.${gone}.update`, `.${gone}.new.txt`, '.new'];
    for (const name of [...kept, `.${gone}.new`, `.${gone}.new.exe`, '.0.update']) {
      writeFileSync(`${executable}${name}`, '');
    }
    utimesSync(`${executable}.0.update`, 0, 0);
    await update({ ...order, sha256: digestOf(program('2.0.0')) }, terminal);
    expect(readdirSync(folder).sort()).toEqual(
      ['download', ...['', '.lock', '.previous', ...kept].map((name) => `session-agent${name}`)].sort(),
    );
  });

  test('update() takes what the holder of update_key has signed, with a right checksum too, and nothing else', async () => {
    using under = withPrograms();
    const { executable, order, source, terminal } = under;
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const update_key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const config = { ...order.config, update_key };
    const sha256 = digestOf(program('2.0.0'));
    const signed = { ...order, config, sha256 };
    await expect(update(signed, terminal)).rejects.toThrow('download.sig cannot be read');
    for (const signature of [
      Buffer.alloc(64),
      Buffer.alloc(0),
      sign(null, Buffer.from('else'), privateKey),
    ]) {
      writeFileSync(`${source}.sig`, signature);
      await expect(update(signed, terminal)).rejects.toThrow('is not that of update_key');
    }
    writeFileSync(`${source}.sig`, Buffer.alloc(65));
    await expect(update(signed, terminal)).rejects.toThrow('is longer than 64 bytes');
    expect(existsSync(`${executable}.previous`)).toBeFalse();
    writeFileSync(`${source}.sig`, sign(null, Buffer.from(program('2.0.0')), privateKey));
    await update({ ...order, config }, terminal);
    expect(readFileSync(executable, 'utf8')).toBe(program('2.0.0'));
  });
});
