import { checkMinutes } from '../catalogue/rules.ts';
import { storedCapacity } from '../seats/hosts.ts';
import { cardOf, surplus, type Use } from '../seats/rules-capacity.ts';
import type { Booking, HostRow, ReadTables } from '../store/tables.ts';
import { type Check, rule } from './check.ts';

/** Bookings of a host that are read together. */
const page_rows = 1_000;
/** Bookings that are named. */
const named_most = 5;

type BookedUse = Booking & Use;

/** Bookings of the host that it has no seat for, or no room on the card beside those before them; the first ones. */
const withoutRoom = async ({ bookings }: ReadTables, host: HostRow): Promise<string[]> => {
  const capacity = storedCapacity(host);
  const found = new Set<string>();
  let before: BookedUse[] = [];
  for (let after: Booking | undefined; ; ) {
    const rows: Booking[] = await bookings.find(
      { host: host.name, state: { in: ['held', 'open'] } },
      { order: ['starts_at'], limit: page_rows, ...(after === undefined ? {} : { after }) },
    );
    const [first] = rows;
    after = rows.at(-1);
    if (first === undefined || found.size >= named_most) return [...found].slice(0, named_most);
    // What reaches into this page counts in it.
    const uses = [
      ...before.filter(({ to }) => to > first.starts_at),
      ...rows.map((row) => ({ ...row, from: row.starts_at, to: row.ends_at })),
    ];
    before = uses;
    for (const [index, together] of Map.groupBy(uses, ({ seat }) => cardOf(capacity, seat)?.index)) {
      const card = capacity.cards.find((one) => one.index === index);
      for (const { id } of card === undefined ? together : surplus(card, capacity, together)) found.add(id);
    }
  }
};

const room = rule('hosts', {
  name: 'host_without_room',
  // Of each all bookings are read.
  at_once: 1,
  by_hand: () =>
    'coordinators move them when another seat fits, until a day before. Cancel or move them (DELETE or PATCH /api/v1/bookings/ID), or give the host its seats back',
  async wrong(tables, rows) {
    const found = [];
    // One that has never come has no seats yet.
    for (const row of rows.filter(({ seats }) => seats > 0)) {
      const ids = await withoutRoom(tables, row);
      if (ids.length > 0) found.push({ row, text: `has no room for bookings on it: ${ids.join(', ')}` });
    }
    return found;
  },
});

const drain = rule('hosts', {
  name: 'host_drain',
  by_hand: ({ name }) =>
    `drain the host and undrain it: PATCH /api/v1/catalogue/hosts/${encodeURIComponent(name)}`,
  wrong: async (_, rows) =>
    rows
      .filter(({ draining, drained_by_host_at }) => drained_by_host_at !== null && !draining)
      .map((row) => ({ row, text: 'does not drain, and is noted to do so by its own word' })),
  async mend(_, { hosts }, { name }) {
    await hosts.update({ name }, { drained_by_host_at: null });
  },
});

const minutes = rule('apps', {
  name: 'app_minutes',
  by_hand: ({ name }) =>
    `give it lengths from 1 minute on, the usual one not above the longest: PATCH /api/v1/catalogue/apps/${encodeURIComponent(name)}, or servers.json`,
  wrong: async (_, rows) =>
    rows
      .filter((row) => row.default_minutes < 1 || checkMinutes(row) !== undefined)
      .map((row) => ({
        row,
        text: `lasts ${row.default_minutes} minutes, and ${row.max_minutes} at the longest`,
      })),
});

/** What holds of apps and hosts. */
export const catalogueChecks: readonly Check[] = [drain, minutes, room];
