import { expect, test } from 'bun:test';
import { generateKeyPairSync, sign } from 'node:crypto';
import { signature_bytes, signRelease, statementIn } from './release-signature.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const update_key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const statement = {
  name: 'session-agent',
  platform: 'linux-x64',
  version: '1.2.0',
  sha256: 'ab'.repeat(32),
};
const signed = signRelease(statement, privateKey);

test('statementIn() reads what was signed, with the line ends of Windows too', () => {
  expect(statementIn(Buffer.from(signed), update_key)).toEqual(statement);
  expect(statementIn(Buffer.from(signed.replaceAll('\n', '\r\n')), update_key)).toEqual(statement);
  expect(signed.length).toBeLessThan(signature_bytes);
});

test('statementIn() refuses each line that somebody else has written', () => {
  const lines = signed.split('\n');
  const strangers = generateKeyPairSync('ed25519').privateKey;
  const wrong: [string, string][] = [
    [signed.replace('session-agent', 'coordinator'), 'is not that of update_key'],
    [signed.replace('linux', 'windows'), 'is not that of update_key'],
    [signed.replace('1.2.0', '1.2.1'), 'is not that of update_key'],
    [signed.replace('ab', 'cd'), 'is not that of update_key'],
    [signRelease(statement, strangers), 'is not that of update_key'],
    ...lines
      .slice(0, -1)
      .map((line): [string, string] => [signed.replace(`${line}\n`, ''), 'is no signature']),
    [`${signed}more\n`, 'is no signature'],
    ['', 'is no signature'],
  ];
  for (const [text, says] of wrong) {
    expect(statementIn(Buffer.from(text), update_key)).toEqual({ problem: expect.stringContaining(says) });
  }
  const bare = sign(null, Buffer.from('the file'), privateKey);
  expect(statementIn(bare, update_key)).toEqual({ problem: expect.stringContaining('of the old kind') });
});
