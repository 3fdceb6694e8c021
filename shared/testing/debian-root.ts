import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** A Debian of its own in a folder, for programs that are newer than this machine's. */
export interface DebianRoot {
  readonly suite: 'trixie' | 'sid';
  /** Packages that it has besides the least of a Debian. */
  readonly packages: readonly string[];
}

const cache = resolve(import.meta.dir, '..', '..', '.cache');
/** Until another mirror is asked for, as a machine without a way out would. */
const mirror = process.env.DEBIAN_MIRROR ?? 'http://deb.debian.org/debian';

const run = async (command: string[]): Promise<void> => {
  const child = Bun.spawn(command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const texts = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) {
    throw new Error(`"${command.join(' ')}" failed:\n${texts.join('').slice(-4_000)}`);
  }
};

/** The folder of the root, which is made the first time (a minute or two, with root's rights) and kept in `.cache/`. */
export const debianRoot = async ({ suite, packages }: DebianRoot): Promise<string> => {
  const folder = join(cache, [suite, ...packages].join('-'));
  if (existsSync(folder)) return folder;
  process.stderr.write(`Making a Debian ${suite} with ${packages.join(', ')} in ${folder} ...\n`);
  if (!existsSync('/usr/sbin/debootstrap')) {
    await run(['apt-get', 'update', '-q']);
    await run(['apt-get', 'install', '-y', '-q', '--no-install-recommends', 'debootstrap']);
  }
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(dirname(folder), { recursive: true });
  try {
    const wanted = ['--variant=minbase', `--include=${packages.join(',')}`];
    // What it mounts below the folder is seen by nobody else: whatever ends it, the folder can be removed without harm.
    await run(['unshare', '--mount', '--', '/usr/sbin/debootstrap', ...wanted, suite, unfinished, mirror]);
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
};

/**
 * The command as it runs within the root, which sees `folder` of this machine under the same path. The mounts are gone
 * with the command; its process is the one that is started, so that a signal reaches it.
 */
export const within = (root: string, folder: string, command: readonly string[]): string[] => {
  const script =
    'root=$1 folder=$2; shift 2; for one in /dev /proc "$folder"; do ' +
    'mkdir -p "$root$one" && mount --rbind "$one" "$root$one" || exit 1; done; exec chroot "$root" "$@"';
  return ['unshare', '--mount', '--', 'sh', '-c', script, 'sh', root, folder, ...command];
};
