import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { lockFile } from '../../shared/lock.ts';
import { signRelease } from '../../shared/release-signature.ts';
import { tinyProgram } from '../../shared/testing/tiny-program.ts';
import { type AgentConfig, configSchema, located } from '../config.ts';
import { answering } from '../testing/answering.ts';
import { testTerminal } from '../testing/terminal.ts';
import { sleep } from '../wait.ts';
import { update } from './update.ts';

setDefaultTimeout(120_000);

const releaseOf = (version: string) => ({ name: 'session-agent', platform: 'linux-x64', version });
const program = (version: string): Buffer<ArrayBuffer> => tinyProgram({ release: releaseOf(version) });
const digestOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** A "program" of release 1.0.0, and one of 2.0.0 beside it. */
const withPrograms = () => {
  const under = testTerminal({ clock: systemClock });
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
  const order = { source, config, allow_older: false, restart: false, patience_ms: 1_000 };
  return { ...under, executable, source, order, [Symbol.dispose]: under[Symbol.dispose] };
};

describe('update()', () => {
  test('update() swaps the executable, keeps the one before, and leaves nothing else', async () => {
    using under = withPrograms();
    const { executable, order, terminal, folder } = under;
    await update({ ...order, sha256: digestOf(program('2.0.0')).toUpperCase() }, terminal);
    expect(readFileSync(executable)).toEqual(program('2.0.0'));
    expect(statSync(executable).mode & 0o777).toBe(0o755);
    expect(readFileSync(`${executable}.previous`)).toEqual(program('1.0.0'));
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
    expect(readFileSync(`${executable}.previous`)).toEqual(program('2.0.0'));
  });

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
    const two = program('2.0.0');
    const coordinator = tinyProgram({ release: { ...releaseOf('2.0.0'), name: 'coordinator' } });
    const windows = tinyProgram({ release: { ...releaseOf('2.0.0'), platform: 'windows-x64' } });
    const fails = tinyProgram({ release: releaseOf('2.0.0'), code: 3 });
    const lies = tinyProgram({ release: releaseOf('2.0.0'), says: '3.0.0' });
    const script = '#!/bin/sh\necho 2.0.0\n# {vitrina-release session-agent linux-x64 2.0.0}'.padEnd(200);
    const of = (bytes: Uint8Array | string) => ({ sha256: digestOf(bytes) });
    const wrong: [Uint8Array | string, Partial<typeof order & { sha256: string }>, string][] = [
      [two, {}, 'Say what the file has to be'],
      [two, of('else'), 'The checksum is wrong'],
      [two.subarray(0, -9), of(two), 'The checksum is wrong'],
      [two.subarray(0, -9), of(two.subarray(0, -9)), 'is no program of Vitrina'],
      [two, { source: join(under.folder, 'nothing'), ...of('') }, 'cannot be read'],
      [two, { source: under.folder, ...of('') }, 'cannot be read'],
      ['no program', of('no program'), 'is no program for Linux'],
      [script, of(script), 'is no program for Linux'],
      [readFileSync('/bin/true'), of(readFileSync('/bin/true')), 'is no program of Vitrina'],
      [
        coordinator,
        of(coordinator),
        'is coordinator 2.0.0 for linux-x64: this is session-agent for linux-x64',
      ],
      [windows, of(windows), 'says that it is for windows-x64'],
      [fails, of(fails), 'does not run here: exit code 3'],
      [lies, of(lies), 'does not run here: it says that it is 3.0.0'],
      [program('1.2.2'), of(program('1.2.2')), 'is release 1.2.2, older than 1.2.3, which is there'],
      [program('1.2.3-rc.1'), of(program('1.2.3-rc.1')), 'older than 1.2.3'],
      [two, { ...of(two), restart: true }, 'No agent runs'],
    ];
    for (const [bytes, change, says] of wrong) {
      writeFileSync(source, bytes);
      await expect(update({ ...order, ...change }, terminal)).rejects.toThrow(says);
      expect(readFileSync(executable)).toEqual(program('1.0.0'));
      expect(readdirSync(under.folder).sort()).toEqual(['download', 'session-agent']);
    }
  });

  test('update() runs nothing of a file that it refuses', async () => {
    using under = withPrograms();
    const { order, source, terminal, folder } = under;
    const script = `#!/bin/sh\ntouch ${join(folder, 'has run')}\necho 2.0.0\n`;
    writeFileSync(source, script);
    await expect(update({ ...order, sha256: digestOf(script) }, terminal)).rejects.toThrow('is no program');
    expect(existsSync(join(folder, 'has run'))).toBeFalse();
  });

  test('update() takes an older release when that is meant', async () => {
    using under = withPrograms();
    const { executable, order, source, terminal } = under;
    writeFileSync(source, program('1.0.1'));
    await update({ ...order, allow_older: true, sha256: digestOf(program('1.0.1')) }, terminal);
    expect(readFileSync(executable)).toEqual(program('1.0.1'));
  });

  test('update() follows links to the new file, and writes through none', async () => {
    using under = withPrograms();
    const { executable, order, source, terminal, folder } = under;
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'as it was');
    symlinkSync(victim, `${executable}.${process.pid}.new`);
    const link = join(folder, 'latest');
    symlinkSync(source, link);
    await update({ ...order, source: link, sha256: digestOf(program('2.0.0')) }, terminal);
    expect(readFileSync(executable)).toEqual(program('2.0.0'));
    expect(readFileSync(victim, 'utf8')).toBe('as it was');
  });

  test('update() gives up on a file that never says its version, and while another update is under way', async () => {
    using under = withPrograms();
    const { executable, order, source } = under;
    const terminal = { ...under.terminal, clock: under.clock };
    const refused = async (text: Uint8Array, step_ms = 100): Promise<string> => {
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
    expect(await refused(tinyProgram({ release: releaseOf('2.0.0'), waits: true }), 1_000)).toContain(
      'has not said its version within 60 s',
    );
    const lock = lockFile(`${executable}.lock`);
    expect(await refused(program('2.0.0'))).toContain('Another command is changing');
    expect(readFileSync(executable)).toEqual(program('1.0.0'));
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
    const left = ['.new', '.new.exe', '.old'].map((kind) => `.${gone}${kind}`);
    for (const name of [...kept, ...left, `.previous.${gone}.old`, `.rejected.${gone}.old`, '.0.update']) {
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
    const two = program('2.0.0');
    const sha256 = digestOf(two);
    const signed = { ...order, config, sha256 };
    await expect(update(signed, terminal)).rejects.toThrow('download.sig cannot be read');
    const statement = { ...releaseOf('2.0.0'), sha256 };
    const stranger = generateKeyPairSync('ed25519').privateKey;
    for (const [signature, says] of [
      [Buffer.alloc(0), 'is no signature of a release'],
      [Buffer.alloc(1_025), 'is longer than 1024 bytes'],
      [sign(null, two, privateKey), 'is a signature of the old kind'],
      [signRelease(statement, stranger), 'is not that of update_key'],
      [signRelease({ ...statement, sha256: digestOf('else') }, privateKey), 'is that of another file'],
      [signRelease({ ...statement, version: '3.0.0' }, privateKey), 'is for session-agent 3.0.0'],
      [signRelease({ ...statement, name: 'coordinator' }, privateKey), 'is for coordinator 2.0.0'],
      [
        signRelease({ ...statement, platform: 'windows-x64' }, privateKey),
        'for windows-x64, and the file is',
      ],
    ] as const) {
      writeFileSync(`${source}.sig`, signature);
      await expect(update(signed, terminal)).rejects.toThrow(says);
    }
    // What was signed once is good for ever, but not in place of what came after it.
    const old = program('1.0.9');
    writeFileSync(source, old);
    writeFileSync(`${source}.sig`, signRelease({ ...releaseOf('1.0.9'), sha256: digestOf(old) }, privateKey));
    await expect(update({ ...order, config }, terminal)).rejects.toThrow('older than 1.2.3');
    expect(existsSync(`${executable}.previous`)).toBeFalse();
    writeFileSync(source, two);
    writeFileSync(`${source}.sig`, signRelease(statement, privateKey));
    await update({ ...order, config }, terminal);
    expect(readFileSync(executable)).toEqual(two);
  });
});
