import { closeSync, openSync, readSync } from 'node:fs';

/** Which program an executable is, for which kind of machine, and of which release. */
export interface Release {
  /** "session-agent" */
  name: string;
  /** "linux-x64", "windows-x64" */
  platform: string;
  /** By semver.org, so that two releases can be compared. */
  version: string;
}

/** semver.org's own grammar, somewhat shorter: what a version may be. */
const version_pattern =
  '(?:0|[1-9]\\d{0,8})\\.(?:0|[1-9]\\d{0,8})\\.(?:0|[1-9]\\d{0,8})(?:-[0-9A-Za-z.-]{1,40})?(?:\\+[0-9A-Za-z.-]{1,40})?';
const word_pattern = '[a-z0-9-]{1,40}';
const versions = new RegExp(`^${version_pattern}$`);

export const isVersion = (text: string): boolean => versions.test(text);

/** Whether `version` came before `other`; what stands behind "+" does not count. */
export const isOlder = (version: string, other: string): boolean => Bun.semver.order(version, other) < 0;

/** What stands in the bytes of each of our executables (see `scripts/build.ts`), to be read without running it. */
export const markOf = ({ name, platform, version }: Release): string =>
  `{vitrina-release ${name} ${platform} ${version}}`;

const marks = new RegExp(
  `\\{vitrina-release (${word_pattern}) (${word_pattern}) (${version_pattern})\\}`,
  'g',
);
/** Longer than any mark. */
const overlap_bytes = 512;
const piece_bytes = 1_048_576;

const machines = { elf: 0x3e, pe: 0x8664 };

/** The platform whose loader takes a file that begins so; undefined when it is no program for x86-64. */
const platformOf = (head: Buffer): string | undefined => {
  if (head.length < 64) return undefined;
  // 64 bits, little end first.
  if (head.toString('latin1', 0, 6) === '\x7fELF\x02\x01')
    return head.readUInt16LE(18) === machines.elf ? 'linux-x64' : undefined;
  if (head.toString('latin1', 0, 2) !== 'MZ') return undefined;
  const at = head.readUInt32LE(0x3c);
  if (at > head.length - 6 || head.toString('latin1', at, at + 4) !== 'PE\0\0') return undefined;
  return head.readUInt16LE(at + 4) === machines.pe ? 'windows-x64' : undefined;
};

/** The marks in the pieces of a file, each once. */
const marksIn = (pieces: Iterable<Buffer>): string[] => {
  const found = new Set<string>();
  let rest = '';
  for (const piece of pieces) {
    const text = rest + piece.toString('latin1');
    for (const [mark] of text.matchAll(marks)) found.add(mark);
    rest = text.slice(-overlap_bytes);
  }
  return [...found];
};

function* piecesOf(fd: number): Generator<Buffer> {
  const piece = Buffer.alloc(piece_bytes);
  for (let at = 0; ; ) {
    const read = readSync(fd, piece, 0, piece.length, at);
    if (read === 0) return;
    at += read;
    yield piece.subarray(0, read);
  }
}

/**
 * Which release the file is, by its own mark, without running it; or why it is none of ours: no program at all, one for another
 * machine than its mark says, without a mark or with several. Throws what the file system says.
 */
export const releaseIn = (file: string): Release | { problem: string } => {
  const fd = openSync(file, 'r');
  try {
    const head = Buffer.alloc(4_096);
    const platform = platformOf(head.subarray(0, readSync(fd, head, 0, head.length, 0)));
    if (platform === undefined) return { problem: 'is no program for Linux or Windows on x86-64' };
    const [mark, ...others] = marksIn(piecesOf(fd));
    if (mark === undefined)
      return { problem: 'is no program of Vitrina: it does not say of which release it is' };
    if (others.length > 0) return { problem: `says that it is several programs: ${mark}, ${others[0]}` };
    const [, name = '', says = '', version = ''] = new RegExp(marks.source).exec(mark) ?? [];
    if (says !== platform) return { problem: `says that it is for ${says}, and is for ${platform}` };
    return { name, platform, version };
  } finally {
    closeSync(fd);
  }
};
