import { describe, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readConfig } from './config.ts';
import { createLog } from './log.ts';
import { encodings } from './testing/encodings.ts';
import { decodeText, readText, readTextSync } from './text-file.ts';
import { watchedFile } from './watched-file.ts';

const texts = [
  'token-of-a-streamer',
  'one\r\ntwo\r\n',
  '{"server_name": "ЖК «Лето» 🏡"}',
  '-----BEGIN CERTIFICATE-----\n',
  '7',
  '',
];

/** The path of a file with those bytes, in a folder of its own that goes away afterwards. */
const withFile = async (bytes: Uint8Array, run: (file: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-text-'));
  try {
    await writeFile(join(folder, 'file'), bytes);
    await run(join(folder, 'file'));
  } finally {
    await rm(folder, { recursive: true });
  }
};

describe('decodeText()', () => {
  for (const [encoding, encode] of Object.entries(encodings)) {
    test(`decodeText() reads ${encoding}`, () => {
      expect(texts.map((text) => decodeText(encode(text), 'f'))).toEqual(texts);
    });
  }

  const broken: [what: string, bytes: Uint8Array][] = [
    ['Windows-1251', new Uint8Array([0xd1, 0xe0, 0xe4])],
    ['Latin-1', Buffer.from('schlüssel', 'latin1')],
    ['a broken UTF-16', Buffer.from([0xff, 0xfe, 0x61])],
    ['half a surrogate pair in UTF-16', Buffer.from([0xff, 0xfe, 0x3d, 0xd8, 0x61, 0x00])],
    ['UTF-32 with its mark', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0])],
    ['UTF-32', Buffer.from([0x61, 0, 0, 0, 0x62, 0, 0, 0, 0x63, 0, 0, 0])],
    ['Cyrillic in UTF-16 without its mark', Buffer.from('Лето', 'utf16le')],
    ['a zero in the text', Buffer.from('token\0of a streamer')],
  ];
  for (const [what, bytes] of broken) {
    test(`decodeText() names the file of ${what}`, () => {
      expect(() => decodeText(bytes, '/etc/turn.secret')).toThrow("save it as UTF-8: '/etc/turn.secret'");
    });
  }
});

test('readText() reads a file of any of the encodings, at once too', async () => {
  for (const encode of Object.values(encodings)) {
    await withFile(encode('north\n'), async (file) => {
      expect([await readText(file), readTextSync(file)]).toEqual(['north\n', 'north\n']);
    });
  }
});

test('readText() names the file that is not there', async () => {
  await expect(readText('/nowhere/token')).rejects.toThrow('/nowhere/token');
  expect(() => readTextSync('/nowhere/token')).toThrow('/nowhere/token');
});

const schema = z.strictObject({ name: z.string() });

test('readConfig() reads a file of any of the encodings', async () => {
  for (const encode of Object.values(encodings)) {
    await withFile(encode('{\n "name": "Лето"}'), async (file) => {
      expect(await readConfig(file, schema)).toEqual({ value: { name: 'Лето' } });
    });
  }
  await withFile(Buffer.from('{"name": "é"}', 'latin1'), async (file) => {
    expect(await readConfig(file, schema)).toMatchObject({
      problems: [{ file, line: 1, text: expect.stringContaining('not valid UTF-8, save it as UTF-8') }],
    });
  });
});

test('watchedFile() reads a file of any of the encodings', async () => {
  const log = createLog('text', 'silent');
  for (const encode of Object.values(encodings)) {
    await withFile(encode('{"name": "Лето"}'), async (file) => {
      const watched = watchedFile(file, schema, log);
      await watched.refresh();
      expect([watched.value(), watched.problems()]).toEqual([{ name: 'Лето' }, []]);
    });
  }
});
