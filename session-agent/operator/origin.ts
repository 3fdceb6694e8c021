import type { Release } from '../../shared/release.ts';
import { isOlder, releaseIn } from '../../shared/release.ts';
import { signature_bytes, statementIn } from '../../shared/release-signature.ts';
import { readWhole } from './download.ts';
import { Failed, type Surroundings } from './surroundings.ts';

/** What the new file has to be. */
export interface Wanted {
  /** Where it comes from: `<source>.sig` is its signature. */
  source: string;
  sha256?: string | undefined;
  update_key?: string | undefined;
  /** A release before the one that is there is meant, too. */
  allow_older: boolean;
}

const program = 'session-agent';
const unchanged = 'Nothing was changed.';

/** The programs that run here: there are ours for x86-64 only. */
const platformOf = ({ platform }: Pick<Surroundings, 'platform'>): string =>
  `${platform === 'win32' ? 'windows' : platform}-x64`;

const describe = ({ name, platform, version }: Release): string => `${name} ${version} for ${platform}`;

/** Holds the file against its signature. Throws Failed. */
const checkSignature = async (
  source: string,
  update_key: string,
  { release, digest }: { release: Release; digest: string },
  ending: AbortSignal,
): Promise<void> => {
  const signature = `${source}.sig`;
  const stated = statementIn(await readWhole(signature, signature_bytes, ending), update_key);
  if ('problem' in stated) throw new Failed(`The signature ${signature} ${stated.problem}. ${unchanged}`);
  if (stated.sha256 !== digest)
    throw new Failed(`The signature ${signature} is that of another file. ${unchanged}`);
  if (describe(stated) !== describe(release))
    throw new Failed(
      `The signature ${signature} is for ${describe(stated)}, and the file is ${describe(release)}. ${unchanged}`,
    );
};

/**
 * The release that the file is, which nobody has run yet. Throws Failed when it is not what the operator, or the holder of
 * `update_key`, means: another file, another program, for another platform, or an older release than asked for.
 */
export const checkOrigin = async (
  { source, sha256, update_key, allow_older }: Wanted,
  { file, digest }: { file: string; digest: string },
  ending: AbortSignal,
  surroundings: Pick<Surroundings, 'platform' | 'version'>,
): Promise<string> => {
  if (sha256 !== undefined && digest !== sha256.toLowerCase()) {
    throw new Failed(`The checksum is wrong: the file has ${digest}. ${unchanged}`);
  }
  const release = releaseIn(file);
  if ('problem' in release) throw new Failed(`${source} ${release.problem}. ${unchanged}`);
  if (update_key !== undefined) await checkSignature(source, update_key, { release, digest }, ending);
  const here = platformOf(surroundings);
  if (release.name !== program || release.platform !== here)
    throw new Failed(`${source} is ${describe(release)}: this is ${program} for ${here}. ${unchanged}`);
  if (!allow_older && isOlder(release.version, surroundings.version))
    throw new Failed(
      `${source} is release ${release.version}, older than ${surroundings.version}, which is there. ${unchanged} --allow-older takes it all the same.`,
    );
  return release.version;
};
