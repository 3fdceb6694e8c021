import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  createReadStream,
  existsSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import type { Clock } from '../../shared/clock.ts';
import type { AgentConfig } from '../config.ts';
import { runCommand } from '../processes/command.ts';
import type { AgentStatus } from '../status.ts';
import { sleep } from '../wait.ts';
import { askHandOver, askStatus } from './control.ts';
import { Failed, type Surroundings, wordsOf } from './surroundings.ts';

export interface Update {
  /** A file, or an http(s) address. */
  source: string;
  sha256?: string | undefined;
  config: AgentConfig;
  /** The running agent is not asked to make room: the new one runs when somebody starts it. */
  restart: boolean;
  /** How long the new agent may take until it is connected, in ms. */
  patience_ms: number;
}

const largest_bytes = 500 * 1024 * 1024;
const download_ms = 900_000;
const try_ms = 60_000;
/** How long the old release may take at least until it is connected again. */
const back_ms = 120_000;
const poll_ms = 250;
const signature_bytes = 64;

const isAddress = (source: string): boolean => /^https?:\/\//.test(source);

/** The bytes of a file or an address, in pieces; Failed when they cannot be had or are more than `most`. */
async function* bytesOf(source: string, most: number): AsyncGenerator<Uint8Array> {
  let count = 0;
  try {
    const pieces = isAddress(source) ? await download(source) : createReadStream(source);
    for await (const piece of pieces) {
      count += piece.length;
      if (count > most) throw new Failed(`${source} is longer than ${most} bytes.`);
      yield piece;
    }
  } catch (error) {
    if (error instanceof Failed) throw error;
    throw new Failed(`${source} cannot be read: ${wordsOf(error)}`);
  }
}

const download = async (address: string): Promise<AsyncIterable<Uint8Array>> => {
  const response = await fetch(address, { signal: AbortSignal.timeout(download_ms) });
  if (!response.ok || response.body === null)
    throw new Failed(`${address} answers with status ${response.status}.`);
  return response.body;
};

/** Copies the source to a file that can be run; the file's SHA-256 in hexadecimal. */
const store = async (source: string, file: string): Promise<string> => {
  const hash = createHash('sha256');
  const fd = openSync(file, 'w', 0o755);
  try {
    for await (const piece of bytesOf(source, largest_bytes)) {
      hash.update(piece);
      for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    }
  } finally {
    closeSync(fd);
  }
  chmodSync(file, 0o755);
  return hash.digest('hex');
};

const signatureOf = async (source: string): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytesOf(`${source}.sig`, signature_bytes)) pieces.push(piece);
  return Buffer.concat(pieces);
};

/** Says why the file is not what the operator, or the holder of `update_key`, means; nothing when it is. */
const checkOrigin = async (
  { source, sha256, config: { update_key } }: Update,
  file: string,
  digest: string,
): Promise<void> => {
  if (sha256 !== undefined && digest !== sha256.toLowerCase()) {
    throw new Failed(`The checksum is wrong: the file has ${digest}. Nothing was changed.`);
  }
  if (update_key === undefined) return;
  const key = createPublicKey({ key: Buffer.from(update_key, 'base64'), format: 'der', type: 'spki' });
  if (!verify(null, readFileSync(file), key, await signatureOf(source))) {
    throw new Failed(`The signature ${source}.sig is not that of update_key. Nothing was changed.`);
  }
};

/** The release of the program in the file, by its own word. */
const releaseOf = async (file: string, clock: Clock): Promise<string> => {
  try {
    const { code, out, err } = await runCommand([file, 'version'], try_ms, clock);
    const release = out.trim();
    if (code === 0 && /^[\w.+-]{1,100}$/.test(release)) return release;
    throw new Failed(
      `The file does not run here: ${err.trim() || `exit code ${code}`}. Nothing was changed.`,
    );
  } catch (error) {
    if (error instanceof Failed) throw error;
    throw new Failed(`The file does not run here: ${wordsOf(error)}. Nothing was changed.`);
  }
};

/** Puts the new file in the place of the executable and keeps that one; at no moment is there none. */
const swap = (executable: string, fresh: string, previous: string, { platform }: Surroundings): void => {
  rmSync(previous, { force: true });
  if (platform !== 'win32') {
    linkSync(executable, previous);
    renameSync(fresh, executable);
    return;
  }
  // A program that runs can be renamed there, but not replaced.
  renameSync(executable, previous);
  try {
    renameSync(fresh, executable);
  } catch (error) {
    renameSync(previous, executable);
    throw error;
  }
};

const swapBack = (executable: string, previous: string, { platform }: Surroundings): void => {
  if (platform === 'win32') {
    rmSync(`${executable}.rejected`, { force: true });
    renameSync(executable, `${executable}.rejected`);
  }
  renameSync(previous, executable);
};

/** Waits for an agent of another process that is connected; the last that it said of itself when there is none in time. */
const connected = async (
  state_folder: string,
  { pid, release, patience_ms }: { pid: number; release: string; patience_ms: number },
  clock: Clock,
): Promise<{ good: boolean; last: AgentStatus | undefined }> => {
  const deadline = clock.monotonic() + patience_ms;
  let last: AgentStatus | undefined;
  while (clock.monotonic() < deadline) {
    const status = await askStatus(state_folder);
    if (status !== undefined && status.pid !== pid) {
      last = status;
      if (status.version === release && status.link.state === 'connected') return { good: true, last };
    }
    await sleep(clock, poll_ms);
  }
  return { good: false, last };
};

/** Starts the old program again in place of the new one that was no good, and says so. */
const rollBack = async (
  { config: { state_folder }, patience_ms }: Update,
  old: AgentStatus,
  previous: string,
  rejected: AgentStatus | undefined,
  surroundings: Surroundings,
): Promise<never> => {
  const [executable] = surroundings.itself;
  swapBack(executable, previous, surroundings);
  const why =
    rejected === undefined
      ? 'it has not started'
      : rejected.version === old.version
        ? 'another release runs than the new one'
        : `it did not connect: ${rejected.link.detail ?? rejected.link.state}`;
  await askHandOver(state_folder);
  const back = await connected(
    state_folder,
    { pid: rejected?.pid ?? old.pid, release: old.version, patience_ms: Math.max(patience_ms, back_ms) },
    surroundings.clock,
  );
  throw new Failed(
    `The new release is no good: ${why}. ${
      back.good
        ? `Release ${old.version} runs again.`
        : `The old file is back at ${executable}, but no agent of it is connected: restart the service.`
    }`,
  );
};

/** Why the running agent cannot be replaced by an update; undefined when it can. */
const obstacle = (running: AgentStatus | undefined, executable: string): string | undefined => {
  if (running === undefined) return 'No agent runs. With --no-restart the file is only put in place.';
  if (running.executable !== executable)
    return `The agent that runs is ${running.executable}: update it with that one.`;
  return running.service === null
    ? 'Nobody starts the agent again when it ends: it is no service ("session-agent install"). With --no-restart the file is only put in place; restart the agent yourself then.'
    : undefined;
};

/**
 * Replaces this program by another release: checks where the file comes from and that it runs, swaps it in, has the agent
 * that runs make room, and takes all of that back when the new one is not connected in time. Throws Failed.
 */
export const update = async (order: Update, surroundings: Surroundings): Promise<void> => {
  const { config, source, restart, patience_ms } = order;
  const { clock, say, itself } = surroundings;
  const [executable] = itself;
  if (itself.length > 1) throw new Failed('Only the compiled executable can be updated.');
  if (order.sha256 === undefined && config.update_key === undefined) {
    throw new Failed(
      'Say what the file has to be: --sha256 HEX, or "update_key" in config.json and FILE.sig beside it.',
    );
  }
  const running = await askStatus(config.state_folder);
  const wrong = restart ? obstacle(running, executable) : undefined;
  if (wrong !== undefined) throw new Failed(wrong);
  // Windows runs nothing of another ending.
  const fresh = `${executable}.${process.pid}.new${surroundings.platform === 'win32' ? '.exe' : ''}`;
  const previous = `${executable}.previous`;
  let release: string;
  try {
    const digest = await store(source, fresh);
    await checkOrigin(order, fresh, digest);
    release = await releaseOf(fresh, clock);
    swap(executable, fresh, previous, surroundings);
  } catch (error) {
    if (error instanceof Failed) throw error;
    throw new Failed(`${executable} cannot be replaced: ${wordsOf(error)}. Run this as administrator.`);
  } finally {
    rmSync(fresh, { force: true });
  }
  say(`${executable} is release ${release} now; the one before is ${previous}.`);
  if (!restart || running === undefined) return say('It runs when the agent is started again.');
  if (!(await askHandOver(config.state_folder))) {
    if (existsSync(previous)) swapBack(executable, previous, surroundings);
    throw new Failed('The agent does not answer any more; the old file is back.');
  }
  const { good, last } = await connected(
    config.state_folder,
    { pid: running.pid, release, patience_ms },
    clock,
  );
  if (!good) return rollBack(order, running, previous, last, surroundings);
  say(`Release ${release} runs and is connected.`);
};
