import { expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { encodings } from '../../shared/testing/encodings.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { soon } from '../testing/socket.ts';
import { askPassword } from './terminal.ts';

setDefaultTimeout(60_000);

/** `admin create` for the folder at a real terminal: types the next text whenever it asks, and gives what was shown. */
const atTerminal = async (directory: string, ...typed: string[]) => {
  let shown = '';

  const questions = /: $/;
  const args = ['admin', 'create', '--email', 'a@b.example', '--name', 'A', '--data', directory];
  const left = [...typed];
  // A shell that outlives the program says in which state the terminal was left.
  const script = '"$@"; echo "exit $?"; stty -a | tr " ;" "\\n\\n" | grep -x -e echo -e -echo';
  const program = Bun.spawn(
    ['sh', '-c', script, 'sh', process.execPath, join(import.meta.dir, '../main.ts'), ...args],
    {
      env: { PATH: process.env.PATH ?? '', TERM: 'xterm' },
      terminal: {
        data(terminal, data) {
          shown += new TextDecoder().decode(data);
          if (!questions.test(shown)) return;
          const next = left.shift();
          if (next !== undefined) terminal.write(next);
        },
      },
    },
  );
  await soon('the end', program.exited);
  program.terminal?.close();
  const echoes = /(^|\n)echo\r?\n/.test(shown);
  return { shown, echoes, exit: Number(/exit (\d+)/.exec(shown)?.[1]) };
};

test(`${askPassword.name}() at a terminal shows nothing that is typed, and asks twice`, async () => {
  await using folder = await temporaryFolder();
  const { shown, echoes, exit } = await atTerminal(folder.path, 'correct horse\r', 'correct horse\r');
  expect([exit, echoes]).toEqual([0, true]);
  expect(shown).toContain('New password of the administrator a@b.example: \r\nThe same again: \r\n');
  expect(shown).toContain('Made the administrator a@b.example.');
  expect(shown).not.toContain('horse');
});

test(`${askPassword.name}() at a terminal takes corrections, arrow keys and both lines at once`, async () => {
  await using folder = await temporaryFolder();
  const first = 'oops\x15correct hörseé\x7f\x1b[D\x1b[3~\x1bOA\n';
  const { shown, exit } = await atTerminal(folder.path, `${first}correct hörse\n`);
  expect(exit).toBe(0);
  expect(shown).not.toContain('rse');
});

test(`${askPassword.name}() changes nothing when the two differ, and Ctrl-C leaves the terminal as it was`, async () => {
  await using folder = await temporaryFolder();
  const differing = await atTerminal(folder.path, 'correct horse\r', 'correct hose\r');
  expect([differing.exit, differing.echoes]).toEqual([1, true]);
  expect(differing.shown).toContain('The two passwords differ. Nothing was changed.');
  const stopped = await atTerminal(folder.path, 'correct\x03');
  expect([stopped.exit, stopped.echoes]).toEqual([130, true]);
  expect(await Bun.file(join(folder.path, 'accounts.json')).exists()).toBeFalse();
});

test(`${askPassword.name}() reads the first line of a file in any encoding that Windows writes`, async () => {
  const read = async (bytes: Uint8Array) => {
    const script = `import { askPassword } from '${join(import.meta.dir, 'terminal.ts')}';
      await askPassword('a@b.example', true).then((text) => process.stdout.write(text), (error) => process.stdout.write(error.message));`;
    const program = Bun.spawn([process.execPath, '-e', script], { stdin: new Blob([new Uint8Array(bytes)]) });
    return new Response(program.stdout).text();
  };
  const texts = Object.values(encodings).map((encode) => read(encode('correct hörse\r\nmore\r\n')));
  expect(await Promise.all(texts)).toEqual(texts.map(() => 'correct hörse'));
  expect(await read(Buffer.from('correct hörse\n', 'latin1'))).toContain('standard input');
});
