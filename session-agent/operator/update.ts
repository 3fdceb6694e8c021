import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { Clock } from '../../shared/clock.ts';
import type { AgentConfig } from '../config.ts';
import { runCommand } from '../processes/command.ts';
import { runDetached } from '../processes/detached.ts';
import type { AgentStatus } from '../status.ts';
import { askStatus } from './control.ts';
import { store } from './download.ts';
import {
  checkReplaced,
  digestOf,
  type Exchange,
  exchange_command,
  lock_ms,
  previousOf,
  swap,
} from './exchange.ts';
import { alone } from './file-lock.ts';
import { clearLeftovers, freshOf, outcomeOf } from './leftovers.ts';
import { checkOrigin } from './origin.ts';
import { adviceOn, Failed, type Surroundings, wordsOf } from './surroundings.ts';

export interface Update {
  /** A file, or an http(s) address. */
  source: string;
  sha256?: string | undefined;
  /** A release before the one that is there is meant, too. */
  allow_older: boolean;
  config: AgentConfig;
  /** The running agent is not asked to make room: the new one runs when somebody starts it. */
  restart: boolean;
  /** How long the new agent may take until it is connected, in ms. */
  patience_ms: number;
}

const largest_bytes = 500 * 1024 * 1024;
const try_ms = 60_000;
const interrupted_words = 'The update was interrupted. Nothing was changed.';

/** Runs the new file once. Throws Failed when it does not say that it is that release. */
const tryOut = async (file: string, release: string, clock: Clock): Promise<void> => {
  try {
    const { code, out, err } = await runCommand([file, 'version'], try_ms, clock);
    if (code === 0 && out.trim() === release) return;
    const ended =
      code === 0
        ? `it says that it is ${out.trim().slice(0, 100)}`
        : code === undefined
          ? `it has not said its version within ${try_ms / 1_000} s`
          : `exit code ${code}`;
    throw new Failed(`The file does not run here: ${err.trim() || ended}. Nothing was changed.`);
  } catch (error) {
    if (error instanceof Failed) throw error;
    throw new Failed(`The file does not run here: ${wordsOf(error)}. Nothing was changed.`);
  }
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

/** Has the new file swapped in by a process that outlives this one, and tells how that ended. */
const handOn = async (exchange: Exchange, { itself, say }: Surroundings): Promise<void> => {
  const [executable] = itself;
  const outcome = outcomeOf(executable);
  say(
    `Release ${exchange.release} takes the place of ${executable}. That goes on without this terminal, too:`,
  );
  say(`${outcome} will say how it ended.`);
  const code = await runDetached([executable, exchange_command, JSON.stringify(exchange)], outcome);
  const text = existsSync(outcome) ? readFileSync(outcome, 'utf8').trim() : '';
  rmSync(outcome, { force: true });
  if (text === '') {
    throw new Failed(
      `The update ended with exit code ${code} and has not said how. Look: session-agent status`,
    );
  }
  if (code !== 0) throw new Failed(text);
  say(text);
};

/** To put a file in its own place would lose the one before. Throws Failed when the agent that runs is another release. */
const sayThere = (
  release: string,
  running: AgentStatus | undefined,
  { itself: [executable], say }: Surroundings,
): void => {
  const there = `${executable} is that very file already, release ${release}. Nothing was changed.`;
  if (running !== undefined && running.version !== release) {
    throw new Failed(`${there} Release ${running.version} still runs: restart the agent.`);
  }
  say(there);
};

/** The new file, checked and tried, beside the executable. Throws Failed. */
const fetched = async (
  order: Update,
  fresh: string,
  ending: AbortSignal,
  surroundings: Surroundings,
): Promise<{ digest: string; release: string }> => {
  const { source, sha256, allow_older } = order;
  const digest = await store(source, fresh, largest_bytes, ending);
  const wanted = { source, sha256, allow_older, update_key: order.config.update_key };
  const release = await checkOrigin(wanted, { file: fresh, digest }, ending, surroundings);
  await tryOut(fresh, release, surroundings.clock);
  ending.throwIfAborted();
  return { digest, release };
};

/**
 * Replaces this program by another release: checks where the file comes from and that it runs, swaps it in, has the agent
 * that runs make room, and takes all of that back when the new one is not connected in time. Throws Failed.
 */
export const update = async (order: Update, surroundings: Surroundings): Promise<void> => {
  const { config, restart, patience_ms } = order;
  const { say, itself } = surroundings;
  const { state_folder } = config;
  const [executable] = itself;
  if (itself.length > 1) throw new Failed('Only the compiled executable can be updated.');
  if (order.sha256 === undefined && config.update_key === undefined) {
    throw new Failed(
      'Say what the file has to be: --sha256 HEX, or "update_key" in config.json and FILE.sig beside it.',
    );
  }
  const running = await askStatus(state_folder);
  const wrong = restart ? obstacle(running, executable) : undefined;
  if (wrong !== undefined) throw new Failed(wrong);
  const fresh = freshOf(executable, surroundings.platform);
  const ending = new AbortController();
  const unheard = surroundings.interrupted(() => ending.abort(new Failed(interrupted_words)));
  try {
    await clearLeftovers(executable, surroundings);
    const replaces = await digestOf(executable);
    const { digest, release } = await fetched(order, fresh, ending.signal, surroundings);
    if (digest === replaces) return sayThere(release, restart ? running : undefined, surroundings);
    const exchange = { fresh, replaces, release, state_folder, patience_ms };
    if (restart) {
      // From here on another process does it, which a signal to this one does not end.
      unheard();
      return await handOn(exchange, surroundings);
    }
    await alone(executable, lock_ms, surroundings, async () => {
      await checkReplaced(exchange, surroundings);
      ending.signal.throwIfAborted();
      swap(fresh, surroundings);
    });
    say(`${executable} is release ${release} now; the one before is ${previousOf(executable)}.`);
    say('It runs when the agent is started again.');
  } catch (error) {
    if (error instanceof Failed) throw error;
    throw new Failed(`${executable} cannot be replaced: ${adviceOn(error)}`);
  } finally {
    unheard();
    rmSync(fresh, { force: true });
  }
};
