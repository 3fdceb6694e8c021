import { counted } from '../../shared/counted.ts';
import { explain, isRefusal } from '../../shared/errors.ts';
import { createPasswords } from '../accounts/passwords.ts';
import type { GivenTo } from '../commands.ts';
import { publicUrl } from '../deployment/print.ts';
import { Declined, enrolByRest } from '../fleet/enrol-client.ts';
import { enrolCommand } from '../fleet/enrolments.ts';
import { carryOut, type Done, type Order } from '../fleet/orders.ts';
import type { Services } from '../kit/services.ts';
import { attempt, openDatabase } from '../store/commands.ts';
import { Unusable } from '../store/database.ts';
import { orderRunning } from './control.ts';
import { askPassword, Interrupted } from './terminal.ts';

/** What a shell expects of a program that Ctrl-C has ended. */
const interrupted_exit = 130;

/** What a command has of the program that runs it. */
export interface Means extends Pick<Services, 'clock' | 'ids' | 'log'> {
  /** DATABASE_URL. */
  readonly url: string | undefined;
  /** Tells the operator something; what is printed for use goes to standard output. */
  readonly say: (text: string) => void;
}

const onDatabase = async (means: Means, directory: string, order: Order): Promise<Done> => {
  const db = await openDatabase(directory, means);
  try {
    const result = await carryOut({ ...means, db }, createPasswords(), order);
    if (isRefusal(result)) throw new Declined(explain(result));
    return result;
  } finally {
    await db.close();
  }
};

/**
 * Has the order carried out on the database of DATABASE_URL; without one by the coordinator that runs on the data directory,
 * or on the files there when none runs. Throws Declined or Unusable.
 */
const give = async (means: Means, data: string | undefined, order: Order): Promise<string> => {
  if (means.url !== undefined) return (await onDatabase(means, '', order)).done;
  if (data === undefined) {
    throw new Unusable('Set DATABASE_URL to the database, or give --data DIR, the data directory.');
  }
  const told = await orderRunning(data, order);
  if (told === undefined) {
    const { done } = await onDatabase(means, data, order);
    means.say(`No coordinator runs on ${data}: its files were changed.`);
    return done;
  }
  if (isRefusal(told)) throw new Declined(explain(told));
  return told.done;
};

/** Runs a command; what went wrong is said, and the exit code tells of it. */
const withReasons = ({ say }: Means, run: () => Promise<void>): Promise<number> =>
  attempt(say, async () => {
    try {
      await run();
      return 0;
    } catch (error) {
      if (error instanceof Interrupted) return interrupted_exit;
      if (!(error instanceof Declined)) throw error;
      say(error.message);
      return 1;
    }
  });

/** Where the coordinator is reached from outside. Throws Declined. */
const addressOf = async (who: string, url: string | undefined, data: string | undefined): Promise<URL> => {
  const address = url ?? (data === undefined ? undefined : await publicUrl(data));
  if (address !== undefined) return new URL(address);
  throw new Declined(
    `Say where ${who} reach the coordinator: --url URL, or "public_url" in configuration.json of --data DIR.`,
  );
};

/** `coordinator admin create`. Gives the exit code. */
export const makeAdmin = (means: Means, { email, name, data }: GivenTo<'admin create'>): Promise<number> =>
  withReasons(means, async () => {
    const password = await askPassword(`the administrator ${email}`, true);
    const made = await give(means, data, { order: 'create_admin', email, name, password });
    means.say(`Made the administrator ${made}.`);
  });

/** `coordinator admin reset`. Gives the exit code. */
export const resetPassword = (
  means: Means,
  { email, link, data, url }: GivenTo<'admin reset'>,
): Promise<number> =>
  withReasons(means, async () => {
    if (!link) {
      const password = await askPassword(email, true);
      const changed = await give(means, data, { order: 'reset_password', email, password });
      means.say(`${changed} has a new password, and is logged out everywhere.`);
      return;
    }
    const address = new URL('/reset', await addressOf('browsers', url, data));
    // Behind the "#" it is sent to no server and stands in no log.
    address.hash = await give(means, data, { order: 'make_reset_link', email });
    means.say(`This link sets a new password for ${email}, once, within 24 hours:`);
    process.stdout.write(`${address.href}\n`);
  });

/** `coordinator admin erase`. Gives the exit code. */
export const eraseAccount = (means: Means, { email, data }: GivenTo<'admin erase'>): Promise<number> =>
  withReasons(means, async () => {
    const gone = await give(means, data, { order: 'erase_account', email });
    means.say(
      `${gone} is erased: nobody logs in with it, and its name, address and password are gone. A coordinator that runs cancels its bookings, ends its sessions and removes what else names it, within minutes.`,
    );
  });

/** `coordinator enrol`. Gives the exit code. */
export const enrol = (means: Means, command: GivenTo<'enrol'>): Promise<number> =>
  withReasons(means, async () => {
    const { host, app: apps, minutes, url, data, email } = command;
    const { href, origin } = await addressOf('hosts', url, data);
    const token =
      email === undefined
        ? await give(means, data, { order: 'enrol', host, apps, minutes })
        : await enrolByRest({
            ...{ host, apps, minutes, email, url: href },
            password: await askPassword(email, false),
          });
    means.say(`Run this on ${host}, once, within ${counted(minutes, 'minute')}:`);
    process.stdout.write(`${enrolCommand(origin, token)}\n`);
  });
