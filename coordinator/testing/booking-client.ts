import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { type BookingView, bookingSchema } from '../../shared/protocol/bookings.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import type { Random } from '../../shared/testing/random.ts';

/** What clients saw in all. */
export interface Seen {
  attempts: number;
  created: number;
  moved: number;
  cancelled: number;
  /** Refusals, by code. */
  readonly refused: Record<string, number>;
  /** Answers 503 and 507 and broken connections; `outages` while something was killed, `unasked` otherwise. */
  outages: number;
  unasked: number;
  /** Whatever must not be: other answers of 500 and above, an acknowledged change that is gone. */
  readonly faults: string[];
  /** Milliseconds of each answer while nothing was killed. */
  readonly took: number[];
}

/** Where clients find the coordinators, and whether one of them or the database is being killed. */
export interface Coordinators {
  readonly ports: number[];
  disturbed(): boolean;
}

interface Asked {
  method: string;
  path: string;
  body?: object;
  headers?: Record<string, string>;
}

const pause = (ms: number): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  systemClock.after(ms, resolve);
  return promise;
};

const count = (counts: Record<string, number>, key: string): void => {
  counts[key] = (counts[key] ?? 0) + 1;
};

/** One answer; undefined when the coordinator or its database could not give it. */
const ask = async (
  { ports, disturbed }: Coordinators,
  seen: Seen,
  random: Random,
  account: number,
  { method, path, body, headers = {} }: Asked,
): Promise<{ status: number; body: unknown } | undefined> => {
  const before = disturbed();
  const from = systemClock.monotonic();
  const port = ports[random.below(ports.length)];
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        'x-account': String(account),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (response.status === 503 || response.status === 507) throw new Error(JSON.stringify(answer));
    if (response.status >= 500) seen.faults.push(`${method} ${path}: ${JSON.stringify(answer)}`);
    if (!before && !disturbed()) seen.took.push(systemClock.monotonic() - from);
    return { status: response.status, body: answer };
  } catch (error) {
    if (before || disturbed()) seen.outages += 1;
    else {
      seen.unasked += 1;
      if (seen.unasked < 5) process.stderr.write(`${error}\n`);
    }
    await pause(20 + random.below(80));
    return undefined;
  }
};

/** A booking as this client was last told, or as its database must show it. */
export type Known = Map<string, BookingView>;

/** The request again and again until it is answered. */
const insist = async (...asked: Parameters<typeof ask>): Promise<{ status: number; body: unknown }> => {
  for (;;) {
    const answer = await ask(...asked);
    if (answer !== undefined) return answer;
  }
};

const refusal = (seen: Seen, body: unknown): string => {
  const { code } = problemSchema.parse(body);
  count(seen.refused, code);
  return code;
};

const wallTime = (at: number) => {
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  return { date, time: time.slice(0, 5) };
};

/** A client that books, moves and cancels at random within a week, and knows what it was told. */
export const bookingClient = (
  coordinators: Coordinators,
  seen: Seen,
  random: Random,
  { account, week }: { account: number; week: number },
) => {
  const known: Known = new Map();
  const when = () => wallTime(week + random.below(7 * 24 * 4) * 15 * 60_000);
  const request = (asked: Asked) => insist(coordinators, seen, random, account, asked);

  const create = async (): Promise<void> => {
    const key = systemIds.id();
    const body = { app: 'garden', ...when(), minutes: 15 * (1 + random.below(8)) };
    const asked = { method: 'POST', path: '/bookings', body, headers: { 'Idempotency-Key': key } };
    const answer = await request(asked);
    if (answer.status !== 201) return void refusal(seen, answer.body);
    const { token: _, ...booking } = answer.body as BookingView & { token?: string };
    known.set(booking.id, bookingSchema.parse(booking));
    seen.created += 1;
  };

  /** After a change whose answer did not come: what it has become has to be one of the two. */
  const change = async (before: BookingView, asked: Asked): Promise<BookingView | undefined> => {
    const path = `/bookings/${before.id}`;
    const headers = { 'If-Match': `"${before.version}"` };
    const answer = await ask(coordinators, seen, random, account, { ...asked, path, headers });
    if (answer === undefined) {
      const now = bookingSchema.parse((await request({ method: 'GET', path })).body);
      // Its transaction may still be on its way. Then the next change meets another version and looks again.
      known.set(before.id, now);
      return undefined;
    }
    if (answer.status === 200) return bookingSchema.parse(answer.body);
    if (refusal(seen, answer.body) === 'version_conflict' || !known.has(before.id)) {
      known.set(before.id, bookingSchema.parse((await request({ method: 'GET', path })).body));
    }
    return undefined;
  };

  const held = (): BookingView | undefined => {
    const all = [...known.values()].filter(({ state }) => state === 'held');
    return all[random.below(Math.max(1, all.length))];
  };

  return {
    known,
    async step(): Promise<void> {
      seen.attempts += 1;
      const kind = random.below(100);
      const booking = kind < 70 ? undefined : held();
      if (booking === undefined) return create();
      const moves = kind < 85;
      const asked = moves ? { method: 'PATCH', path: '', body: when() } : { method: 'DELETE', path: '' };
      const changed = await change(booking, asked);
      if (changed === undefined) return;
      known.set(booking.id, changed);
      if (moves) seen.moved += 1;
      else seen.cancelled += 1;
    },
  };
};

export const newSeen = (): Seen => ({
  attempts: 0,
  created: 0,
  moved: 0,
  cancelled: 0,
  refused: {},
  outages: 0,
  unasked: 0,
  faults: [],
  took: [],
});
