import { lstat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCodes, type Refusal, refuse } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { Declined } from '../fleet/enrol-client.ts';
import { type Done, type Order, orderSchema } from '../fleet/orders.ts';

/** Longer than a password takes to be hashed on a busy machine. */
const answer_ms = 60_000;
/** Longer than it takes to look at every row of the largest data directory that there may be. */
const checked_ms = 600_000;
const url = 'http://coordinator/orders';

const answerSchema = z.union([
  z.strictObject({ done: z.string() }),
  z.strictObject({ refused: z.enum(errorCodes), detail: z.string().optional() }),
]);

/** Where a coordinator listens for the commands of its machine. */
const socketIn = (directory: string): string => join(directory, 'coordinator.sock');

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Answers HTTP on a Unix socket at this path. Throws when it cannot. */
export type ServeUnix = (
  path: string,
  fetch: (request: Request) => Promise<Response>,
) => { stop(force: boolean): Promise<void> };

/** The socket is for its owner from its first moment on: others have no time to open it. */
const serveOwner: (serve: ServeUnix) => ServeUnix = (serve) => (path, fetch) => {
  const before = process.umask(0o177);
  try {
    return serve(path, fetch);
  } finally {
    process.umask(before);
  }
};

const isSocket = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined))?.isSocket() === true;

/** Whether a process listens there. */
const answers = async (path: string): Promise<boolean> => {
  try {
    await fetch(url, { unix: path, signal: AbortSignal.timeout(answer_ms) });
    return true;
  } catch (error) {
    return codeOf(error) !== 'ECONNREFUSED';
  }
};

/**
 * Listens in the data directory for orders of the same user of this machine, until the function returned is called. A socket
 * that a killed coordinator left is taken over. Where it cannot listen it says so in the log, and the rest works.
 */
export const listenForOrders = async (
  directory: string,
  obey: (order: Order) => Promise<Done | Refusal>,
  { log, serve }: { readonly log: Log; readonly serve: ServeUnix },
): Promise<() => Promise<void>> => {
  const path = socketIn(directory);
  const answer = async (request: Request): Promise<Response> => {
    const order = orderSchema.safeParse(await request.json().catch(() => undefined));
    if (!order.success) return Response.json(refuse('unknown_verb'));
    log.info({ order: order.data.order }, 'an order from the command line');
    try {
      return Response.json(await obey(order.data));
    } catch (error) {
      log.error({ error, order: order.data.order }, 'an order failed');
      return Response.json(refuse('internal', reasonOf(error)));
    }
  };
  try {
    if ((await isSocket(path)) && !(await answers(path))) await unlink(path);
    const server = serveOwner(serve)(path, answer);
    return () => server.stop(true);
  } catch (error) {
    log.warn({ path, reason: reasonOf(error) }, 'commands cannot reach this coordinator while it runs');
    return async () => undefined;
  }
};

/** Has the coordinator that runs on this data directory carry the order out; undefined when none runs. Throws Declined. */
export const orderRunning = async (directory: string, order: Order): Promise<Done | Refusal | undefined> => {
  const path = socketIn(directory);
  if (!(await isSocket(path))) return undefined;
  try {
    const response = await fetch(url, {
      unix: path,
      method: 'POST',
      body: JSON.stringify(order),
      signal: AbortSignal.timeout(order.order === 'check' ? checked_ms : answer_ms),
    });
    const answer = answerSchema.parse(await response.json());
    return 'done' in answer ? answer : refuse(answer.refused, answer.detail);
  } catch (error) {
    if (codeOf(error) === 'ECONNREFUSED') return undefined;
    throw new Declined(
      `The coordinator that runs on ${directory} cannot be asked (${reasonOf(error)}). Run this as the user that it runs as.`,
    );
  }
};
