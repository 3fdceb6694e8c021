import { withoutForbidden } from '../../shared/name-text.ts';
import type { ConnectionId } from './effect.ts';

/** The id of a streamer that has not said who it is, or said nothing. */
export const unknown_streamer_id = 'UnknownStreamer';

/** Longer ids are cut. */
const streamer_id_characters = 100;

/**
 * Text that Epic's page may put into its overlay: the page assigns it as HTML, so angle brackets become underscores, and
 * so does what no name may hold.
 */
export const harmless = (text: string): string => withoutForbidden(text).replace(/[<>]/g, '_');

/** The id as it may be used: cut, harmless, and never empty. */
export const cleanId = (wanted: string): string =>
  harmless(wanted.slice(0, streamer_id_characters)) || unknown_streamer_id;

/** The number at the end of `id` if all before it is `base`; a bare base counts as 0. */
const numberAfter = (base: string, id: string): bigint | undefined =>
  id.startsWith(base) && /^\d*$/.test(id.slice(base.length)) ? BigInt(id.slice(base.length)) : undefined;

/**
 * The id that a streamer gets. What it wants, if no other streamer has it; otherwise the same name with a number one
 * above the highest in use: `Foo`, `Foo1`, `Foo2`. `names` maps ids in use to connections; who repeats its own id keeps
 * it. Streamers choose the digits, so there may be more than a `number` holds.
 */
export const commitId = (
  wanted: string,
  names: ReadonlyMap<string, ConnectionId>,
  connection: ConnectionId,
): string => {
  const want = cleanId(wanted);
  const holder = names.get(want);
  if (holder === undefined || holder === connection) return want;
  const base = want.replace(/\d+$/, '');
  let highest = 0n;
  for (const [id, other] of names) {
    if (other === connection) continue;
    const number = numberAfter(base, id) ?? 0n;
    if (number > highest) highest = number;
  }
  return `${base}${highest + 1n}`;
};
