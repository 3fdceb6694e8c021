import { wideNetworkOf } from '../../shared/network.ts';
import { bounds } from '../kit/limits.ts';
import { hold } from '../kit/throttle.ts';
import type { ReadTables, Stranger, Tables } from '../store/tables.ts';
import type { Held } from './rules-shares.ts';

/**
 * What callers without an account may have. Rows of `strangers` say which network a session, a place or a booking is of;
 * whether it is still there, the tables of those say.
 */

/** Nobody else decides about strangers until this transaction has ended. Locked after hosts. */
export const lockShares = (tables: Pick<Tables, 'counters'>, now: number): Promise<void> =>
  hold(tables, { name: 'strangers', window_ms: bounds.unused_ms, most: 0 }, now);

/** What the network, and its /48, has of a kind, by the ids of its holders. */
export const heldBy = async (
  { strangers }: Pick<ReadTables, 'strangers'>,
  kind: Stranger['kind'],
  network: string,
): Promise<Held<string>> => {
  const rows = await strangers.find({ kind, wide: wideNetworkOf(network) });
  return {
    own: rows.filter((row) => row.network === network).map(({ holder }) => holder),
    wide: rows.map(({ holder }) => holder),
  };
};

/** Of what a network has, only what is among `things`. */
export const among = <T extends { readonly id: string }>(
  held: Held<string>,
  things: readonly T[],
): Held<T> => ({
  own: things.filter(({ id }) => held.own.includes(id)),
  wide: things.filter(({ id }) => held.wide.includes(id)),
});

/** Notes whose it is, until `expires_at` at the latest. */
export const noteStranger = (
  { strangers }: Pick<Tables, 'strangers'>,
  { network, ...row }: Omit<Stranger, 'wide'>,
): Promise<void> => strangers.insert({ ...row, network, wide: wideNetworkOf(network) });

/** Which of the places in queues are strangers', and of which /48. */
export const strangersAmong = async (
  { strangers }: Pick<ReadTables, 'strangers'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const rows = ids.length === 0 ? [] : await strangers.find({ holder: { in: ids } });
  return new Map(rows.map(({ holder, wide }) => [holder, wide]));
};

/** A session of a stranger that somebody came to does not count when it is over. */
export const forgetUsed = ({ strangers }: Pick<Tables, 'strangers'>, session_id: string): Promise<number> =>
  strangers.remove({ holder: session_id });

/** How long the row of a session is kept: it may be found unused for so long after it. */
export const unusedUntil = (longest_end: number): number => longest_end + bounds.unused_ms;
