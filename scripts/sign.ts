import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { sharedAdvice, sharedFile } from '../shared/file-rights.ts';
import { releaseIn } from '../shared/release.ts';
import { signRelease } from '../shared/release-signature.ts';

const usage = `Usage: npm run release:sign -- --key FILE EXECUTABLE...

Signs executables that "npm run build" has made: writes EXECUTABLE.sig beside each, which says of which program, platform and
release it is, and prints "update_key" for the hosts' config.json.

  --key FILE  an Ed25519 private key as PEM: openssl genpkey -algorithm ed25519 -out FILE
  -h, --help  print this`;

const fail = (text: string, code = 1): never => {
  process.stderr.write(`${text}\n`);
  process.exit(code);
};
const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const commandLine = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { key: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    return fail(`${wordsOf(error)}\n\n${usage}`, 2);
  }
};

const keyIn = (file: string): KeyObject => {
  try {
    const key = createPrivateKey(readFileSync(file));
    return key.asymmetricKeyType === 'ed25519' ? key : fail(`${file} is no Ed25519 key.`);
  } catch (error) {
    return fail(`${file} cannot be used: ${wordsOf(error)}`);
  }
};

const signFile = (file: string, key: KeyObject): string => {
  try {
    const release = releaseIn(file);
    if ('problem' in release) return fail(`${file} ${release.problem}.`);
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    writeFileSync(`${file}.sig`, signRelease({ ...release, sha256 }, key));
    return `${file}.sig: ${release.name} ${release.version} for ${release.platform}`;
  } catch (error) {
    return fail(`${file} cannot be signed: ${wordsOf(error)}`);
  }
};

const { values, positionals: files } = commandLine();
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const key = keyIn(values.key ?? fail(`Say with which key: --key FILE\n\n${usage}`, 2));
const shared = await sharedFile(values.key ?? '');
if (shared !== undefined) process.stderr.write(`${shared}: ${sharedAdvice}\n`);
if (files.length === 0) fail(`Say what to sign.\n\n${usage}`, 2);
for (const file of files) process.stdout.write(`${signFile(file, key)}\n`);
const update_key = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
process.stdout.write(`update_key: ${update_key}\n`);
