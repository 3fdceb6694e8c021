import { wideNetworkOf } from '../../shared/network.ts';
import { isPlan } from '../bookings/plans.ts';
import { bounds } from '../kit/limits.ts';
import { isGone } from '../seats/rules-queue.ts';
import { by_repair, type Check, rule, whereSql } from './check.ts';

/** What coordinators do every second has been done by then. */
const overdue_ms = 600_000;

const neverDone = rule('idempotency', {
  name: 'request_never_done',
  by_hand: () => by_repair,
  // A request and its effect are stored together: whoever reads it finds it done.
  wrong: async (_, rows) =>
    rows
      .filter(({ state }) => state === 'running')
      .map((row) => ({ row, text: 'a request that was never done keeps its key' })),
  async mend(_, { idempotency }, { scope, request_key }) {
    await idempotency.remove({ scope, request_key });
  },
});

const isObject = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
};

const answer = rule('idempotency', {
  name: 'answer_unreadable',
  by_hand: ({ expires_at }) =>
    `nothing: it is gone at ${new Date(expires_at).toISOString()}. Removed before, a request that is sent again has its effect twice`,
  wrong: async (_, rows) =>
    rows
      .filter(({ state, response }) => state === 'done' && !isObject(response))
      .map((row) => ({ row, text: 'the answer to a request that may be sent again is no JSON' })),
});

const queue = rule('queue', {
  name: 'queue_left',
  by_hand: () => by_repair,
  async wrong(_, rows, now) {
    const { queue_claim_ms, queue_forgotten_ms, queue_present_ms } = bounds;
    const rules = {
      claim_ms: queue_claim_ms,
      forgotten_ms: queue_forgotten_ms,
      present_ms: queue_present_ms,
    };
    return rows
      .filter((row) => isGone(row, now - overdue_ms, rules) && row.seen_at + overdue_ms < now)
      .map((row) => ({ row, text: 'keeps a place for somebody who went away long ago' }));
  },
  async mend(_, tables, { id }) {
    await tables.queue.remove({ id });
  },
});

const strangerNetwork = rule('strangers', {
  name: 'stranger_network',
  by_hand: () => by_repair,
  wrong: async (_, rows) =>
    rows
      .filter(({ network, wide }) => wideNetworkOf(network) !== wide)
      .map((row) => ({ row, text: 'is counted for another network than its own' })),
  async mend(_, { strangers }, { holder, network }) {
    await strangers.update({ holder }, { wide: wideNetworkOf(network) });
  },
});

const strangerBooking = rule('strangers', {
  name: 'stranger_expires',
  by_hand: () => by_repair,
  async wrong({ bookings }, rows) {
    const booked = rows.filter(({ kind }) => kind === 'booking');
    if (booked.length === 0) return [];
    const ids = { in: booked.map(({ holder }) => holder) };
    const found = await bookings.find({ id: ids, state: { in: ['held', 'open'] } });
    const ends = new Map(found.map(({ id, ends_at }) => [id, ends_at]));
    return booked
      .filter(({ holder, expires_at }) => expires_at < (ends.get(holder) ?? 0))
      .map((row) => ({ row, text: 'counts for its network no longer while its booking is to come' }));
  },
  async mend(_, { bookings, strangers }, { holder }) {
    const booking = await bookings.get({ id: holder });
    if (booking !== undefined) await strangers.update({ holder }, { expires_at: booking.ends_at });
  },
});

const count = rule('counters', {
  name: 'count_negative',
  by_hand: () => by_repair,
  wrong: async (_, rows) =>
    rows
      .filter(({ hits }) => hits < 0)
      .map((row) => ({ row, text: 'counts less than nothing: more is let through than may be' })),
  async mend(_, { counters }, { name, window_at }) {
    await counters.update({ name, window_at }, { hits: 0 });
  },
});

const plan = rule('counters', {
  name: 'plan_expires',
  by_hand: () => by_repair,
  // Begun anew, a revision could be one that a coordinator remembers.
  wrong: async (_, rows) =>
    rows
      .filter((row) => isPlan(row) && row.expires_at < Number.MAX_SAFE_INTEGER)
      .map((row) => ({ row, text: "the revision of a host's bookings would be forgotten" })),
  async mend(_, { counters }, { name, window_at }) {
    await counters.update({ name, window_at }, { expires_at: Number.MAX_SAFE_INTEGER });
  },
});

const record = rule('records', {
  name: 'record_times',
  by_hand: ({ session_id }) =>
    `quotas count its minutes: UPDATE records SET minutes = 0, started_at = LEAST(started_at, ended_at) ${whereSql({ session_id })}`,
  wrong: async (_, rows) =>
    rows
      .filter((row) => row.minutes < 0 || row.ended_at < row.started_at)
      .map((row) => ({ row, text: 'ended before it began, or lasted less than nothing' })),
});

/** What holds of counts, queues, kept answers and records. */
export const keptChecks: readonly Check[] = [
  neverDone,
  answer,
  queue,
  strangerNetwork,
  strangerBooking,
  count,
  plan,
  record,
];
