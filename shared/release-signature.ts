import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Release } from './release.ts';

/** What a signature vouches for: that the file with this digest is that release of that program for that platform. */
export interface Statement extends Release {
  /** Of the executable, in hexadecimal. */
  sha256: string;
}

/** No .sig is longer. */
export const signature_bytes = 1_024;
/** The signatures of releases before 0.2: of the file's bytes alone. */
const bare_bytes = 64;

const textOf = ({ name, platform, version, sha256 }: Statement): string =>
  `vitrina release signature 1\nname: ${name}\nplatform: ${platform}\nversion: ${version}\nsha256: ${sha256}\n`;

const pattern =
  /^vitrina release signature 1\nname: (\S+)\nplatform: (\S+)\nversion: (\S+)\nsha256: ([0-9a-f]{64})\nsignature: ([A-Za-z0-9+/]{86}==)\n*$/;

/** The text of a .sig: the statement, readable, and an Ed25519 signature of those very lines. */
export const signRelease = (statement: Statement, key: KeyObject): string => {
  const text = textOf(statement);
  return `${text}signature: ${sign(null, Buffer.from(text), key).toString('base64')}\n`;
};

/** What the holder of `update_key` (DER of the public key, as base64) has stated in a .sig; or why nothing. */
export const statementIn = (signature: Buffer, update_key: string): Statement | { problem: string } => {
  const [, name = '', platform = '', version = '', sha256 = '', signed = ''] =
    pattern.exec(signature.toString('latin1').replaceAll('\r\n', '\n')) ?? [];
  if (signed === '') {
    const bare = signature.length === bare_bytes;
    return {
      problem: bare
        ? 'is a signature of the old kind, which does not say of which release it is: sign the release again (npm run release:sign)'
        : 'is no signature of a release',
    };
  }
  const statement = { name, platform, version, sha256 };
  const key = createPublicKey({ key: Buffer.from(update_key, 'base64'), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(textOf(statement)), key, Buffer.from(signed, 'base64'))
    ? statement
    : { problem: 'is not that of update_key' };
};
