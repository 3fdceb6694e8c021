import { planChanged } from '../bookings/plans.ts';
import { bounds } from '../kit/limits.ts';
import { slot_ms, slotsOf } from '../seats/rules-slots.ts';
import { insert_rows } from '../store/table.ts';
import type { ReadTables, SeatSlot, Tables } from '../store/tables.ts';
import { rule, type Wrong } from './check.ts';
import { type Holder, holderAs, holdersAmong, holdersOf } from './holders.ts';

const day = (instant: number): string => new Date(instant).toISOString();

/** What is missing of the time for which the holder has its seat, from now on. */
const missingSlots = (holder: Holder, own: readonly SeatSlot[], now: number): number[] => {
  const from = Math.max(holder.from, Math.floor(now / slot_ms) * slot_ms);
  const there = new Set(
    own.flatMap(({ host, seat, slot_at }) => (host === holder.host && seat === holder.seat ? [slot_at] : [])),
  );
  return slotsOf({ from, to: holder.to })
    .map((slot) => slot * slot_ms)
    .filter((at) => !there.has(at));
};

const slotsOfHolders = async ({ seat_slots }: ReadTables, holders: readonly Holder[]) => {
  const ids = holders.map(({ id }) => id);
  const rows = ids.length === 0 ? [] : await seat_slots.find({ holder: { in: ids } });
  return Map.groupBy(rows, ({ holder }) => holder);
};

/** Who of them lacks a part of its seat, and who has that. */
const lacking = async <Row>(
  tables: ReadTables,
  held: readonly { readonly row: Row; readonly holder: Holder }[],
  now: number,
): Promise<Wrong<Row>[]> => {
  const slots = await slotsOfHolders(
    tables,
    held.map(({ holder }) => holder),
  );
  const found: Wrong<Row>[] = [];
  for (const { row, holder } of held) {
    const missing = missingSlots(holder, slots.get(holder.id) ?? [], now);
    if (missing.length === 0) continue;
    const { host, seat } = holder;
    const others = await tables.seat_slots.find({ host, seat, slot_at: { in: missing } });
    const text = `has seat ${seat} of ${JSON.stringify(host)}, but not the time from ${day(missing[0] ?? 0)} on`;
    const [other] = others;
    found.push({ row, text: other === undefined ? text : `${text}: that is ${other.holder}'s` });
  }
  return found;
};

/** Takes what is missing; under the host's lock. Throws Taken where somebody has it. */
const takeSlots = async (tables: Tables, holder: Holder, now: number): Promise<void> => {
  await tables.hosts.lock({ name: holder.host });
  const own = await tables.seat_slots.find({ holder: holder.id });
  const { host, seat, app, id } = holder;
  const rows = missingSlots(holder, own, now).map((slot_at) => ({ host, seat, slot_at, holder: id, app }));
  for (let from = 0; from < rows.length; from += insert_rows) {
    await tables.seat_slots.insert(...rows.slice(from, from + insert_rows));
  }
  await planChanged(tables, host);
};

const two_in_one =
  'two have one seat: cancel or move one booking (DELETE or PATCH /api/v1/bookings/ID), or end one session';

const bookingSlots = rule('bookings', {
  name: 'booking_without_seat',
  by_hand: two_in_one,
  async wrong(tables, rows, now) {
    const byId = new Map(rows.map((row) => [row.id, row]));
    const held = (await holdersAmong(tables, rows)).flatMap((holder) => {
      const row = byId.get(holder.id);
      return row === undefined ? [] : [{ row, holder }];
    });
    return lacking(tables, held, now);
  },
  async mend({ clock }, tables, row) {
    for (const holder of await holdersAmong(tables, [row])) await takeSlots(tables, holder, clock.now());
  },
});

const sessionSlots = rule('sessions', {
  name: 'session_without_seat',
  by_hand: two_in_one,
  async wrong(tables, rows, now) {
    const held = rows.flatMap((row) => {
      const holder = holderAs(row);
      return holder === undefined ? [] : [{ row, holder }];
    });
    return lacking(tables, held, now);
  },
  async mend({ clock }, tables, row) {
    const holder = holderAs(row);
    if (holder !== undefined) await takeSlots(tables, holder, clock.now());
  },
});

const slotOfNobody = rule('seat_slots', {
  name: 'seat_of_nobody',
  by_hand: 'remove the row',
  async wrong(tables, rows) {
    const holders = await holdersOf(
      tables,
      rows.map(({ holder }) => holder),
    );
    return rows.flatMap((row) => {
      const holder = holders.get(row.holder);
      const at = {
        row,
        text: `holds seat ${row.seat} of ${JSON.stringify(row.host)} at ${day(row.slot_at)}`,
      };
      if (holder === undefined) return [{ row, text: `${at.text} for nobody` }];
      const fits =
        holder.host === row.host &&
        holder.seat === row.seat &&
        row.slot_at + slot_ms > holder.from &&
        row.slot_at < holder.longest;
      return fits ? [] : [{ row, text: `${at.text} for ${row.holder}, which has another seat or time` }];
    });
  },
  async mend(_, tables, { host, seat, slot_at, holder }) {
    await tables.hosts.lock({ name: host });
    await tables.seat_slots.remove({ host, seat, slot_at, holder });
    await planChanged(tables, host);
  },
});

/** Which of them have a code that the table of codes does not know as theirs. */
const codeless = async <Row>(
  { codes }: ReadTables,
  held: readonly { readonly row: Row; readonly holder: Holder }[],
): Promise<Wrong<Row>[]> => {
  const wanted = held.map(({ holder }) => holder.code);
  const rows = wanted.length === 0 ? [] : await codes.find({ code: { in: wanted } });
  const byCode = new Map(rows.map((row) => [row.code, row]));
  return held.flatMap(({ row, holder }) => {
    const found = byCode.get(holder.code);
    if (found?.holder === holder.id && found.free_at === null) return [];
    const whose = found === undefined || found.free_at !== null ? 'nobody has' : `${found.holder} has`;
    return [{ row, text: `has a code that ${whose}` }];
  });
};

/** Gives the holder its code back. One that is live and somebody else's stays theirs. */
const takeCodeBack = async ({ codes }: Tables, { code, id }: Holder): Promise<void> => {
  const found = await codes.lock({ code });
  if (found === undefined) await codes.insert({ code, holder: id, free_at: null });
  else if (found.free_at !== null || found.holder === id) {
    await codes.update({ code }, { holder: id, free_at: null });
  }
};

const two_with_one = 'two have one code: end one of the sessions, or cancel one of the bookings';

const bookingCodes = rule('bookings', {
  name: 'booking_without_code',
  by_hand: two_with_one,
  async wrong(tables, rows) {
    const byId = new Map(rows.map((row) => [row.id, row]));
    const held = (await holdersAmong(tables, rows)).flatMap((holder) => {
      const row = byId.get(holder.id);
      return row === undefined ? [] : [{ row, holder }];
    });
    return codeless(tables, held);
  },
  async mend(_, tables, row) {
    for (const holder of await holdersAmong(tables, [row])) await takeCodeBack(tables, holder);
  },
});

const sessionCodes = rule('sessions', {
  name: 'session_without_code',
  by_hand: two_with_one,
  async wrong(tables, rows) {
    const held = rows.flatMap((row) => {
      const holder = row.phase === 'ended' ? undefined : holderAs(row);
      return holder === undefined ? [] : [{ row, holder }];
    });
    return codeless(tables, held);
  },
  async mend(_, tables, row) {
    const holder = holderAs(row);
    if (holder !== undefined) await takeCodeBack(tables, holder);
  },
});

const codeOfNobody = rule('codes', {
  name: 'code_of_nobody',
  by_hand: 'remove the row',
  async wrong(tables, rows) {
    const live = rows.filter(({ free_at }) => free_at === null);
    const holders = await holdersOf(
      tables,
      live.map(({ holder }) => holder),
    );
    return live.flatMap((row) =>
      holders.get(row.holder)?.code === row.code
        ? []
        : [{ row, text: `is kept for ${row.holder}, which is over or has another one` }],
    );
  },
  async mend({ clock }, { codes }, { code, holder }) {
    const free_at = clock.now() + bounds.code_quarantine_ms;
    await codes.update({ code }, { free_at }, { holder, free_at: null });
  },
});

const bookingOfNothing = rule('bookings', {
  name: 'booking_of_nothing',
  by_hand: 'cancel it: DELETE /api/v1/bookings/ID, as an operator',
  async wrong(tables, rows) {
    const held = rows.filter(({ state }) => state === 'held' || state === 'open');
    if (held.length === 0) return [];
    const names = { in: [...new Set(held.map(({ host }) => host))] };
    const hosts = new Set((await tables.hosts.find({ name: names })).map(({ name }) => name));
    const wanted = { in: [...new Set(held.map(({ app }) => app))] };
    const apps = new Set((await tables.apps.find({ name: wanted })).map(({ name }) => name));
    return held.flatMap((row) => {
      if (!hosts.has(row.host)) return [{ row, text: `is on ${JSON.stringify(row.host)}, which is gone` }];
      return apps.has(row.app) ? [] : [{ row, text: `is of ${JSON.stringify(row.app)}, which is gone` }];
    });
  },
});

/** What holds of bookings, sessions, seats and codes among each other. Who has no right to a seat or code gives it up first. */
export const bookingChecks = [
  slotOfNobody,
  codeOfNobody,
  bookingSlots,
  sessionSlots,
  bookingCodes,
  sessionCodes,
  bookingOfNothing,
] as const;
