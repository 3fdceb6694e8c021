import { planChanged } from '../bookings/plans.ts';
import { bounds } from '../kit/limits.ts';
import { slot_ms, slotsOf } from '../seats/rules-slots.ts';
import { insert_rows } from '../store/table.ts';
import type { Booking, ReadTables, SeatSlot, SessionRow, Tables } from '../store/tables.ts';
import { by_repair, type Check, rule, type Wrong, whereSql } from './check.ts';
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

/** Slots that are read at once, about: a long booking has hundreds. */
const slots_read = 20_000;

const slotsOfHolders = async ({ seat_slots }: ReadTables, holders: readonly Holder[]) => {
  const found = new Map<string, SeatSlot[]>();
  let ids: string[] = [];
  let expected = 0;
  for (const [at, { id, from, to }] of holders.entries()) {
    ids.push(id);
    expected += (to - from) / slot_ms;
    if (expected < slots_read && at < holders.length - 1) continue;
    for (const row of await seat_slots.find({ holder: { in: ids } })) {
      const known = found.get(row.holder);
      if (known === undefined) found.set(row.holder, [row]);
      else known.push(row);
    }
    [ids, expected] = [[], 0];
  }
  return found;
};

/** A row, and what it has to have. */
interface Held<Row> {
  readonly row: Row;
  readonly holder: Holder;
}

const heldBookings = async (tables: ReadTables, rows: readonly Booking[]): Promise<Held<Booking>[]> => {
  const byId = new Map((await holdersAmong(tables, rows)).map((holder) => [holder.id, holder]));
  return rows.flatMap((row) => {
    const holder = byId.get(row.id);
    return holder === undefined ? [] : [{ row, holder }];
  });
};

const heldSessions = (rows: readonly SessionRow[]): Held<SessionRow>[] =>
  rows.flatMap((row) => {
    const holder = holderAs(row);
    return holder === undefined ? [] : [{ row, holder }];
  });

/** Who of them lacks a part of its seat, and who has that. */
const lacking = async <Row>(
  tables: ReadTables,
  held: readonly Held<Row>[],
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

/** How a person gives one of two bookings up, over REST or in SQL; `--repair` frees what it had. */
const cancel = (id: string): string =>
  `cancel it by DELETE /api/v1/bookings/${id}, as an operator, or by UPDATE bookings SET state = 'cancelled', version = version + 1 ${whereSql({ id })} and "coordinator check --repair"`;
const end = (id: string): string => `end it by DELETE /api/v1/sessions/${id}, as an operator`;

const bookingSlots = rule('bookings', {
  name: 'booking_without_seat',
  by_hand: ({ id }) =>
    `two have one seat: move this booking (PATCH /api/v1/bookings/${id}), or ${cancel(id)}`,
  async wrong(tables, rows, now) {
    return lacking(tables, await heldBookings(tables, rows), now);
  },
  async mend({ clock }, tables, row) {
    for (const holder of await holdersAmong(tables, [row])) await takeSlots(tables, holder, clock.now());
  },
});

const sessionSlots = rule('sessions', {
  name: 'session_without_seat',
  by_hand: ({ id }) => `two have one seat: ${end(id)}, or give the other one up`,
  async wrong(tables, rows, now) {
    return lacking(tables, heldSessions(rows), now);
  },
  async mend({ clock }, tables, row) {
    const holder = holderAs(row);
    if (holder !== undefined) await takeSlots(tables, holder, clock.now());
  },
});

/** Whether the slot is of the holder's seat, and of a time for which that may have it. */
const fits = ({ host, seat, slot_at }: SeatSlot, holder: Holder): boolean =>
  holder.host === host &&
  holder.seat === seat &&
  slot_at + slot_ms > holder.earliest &&
  slot_at < holder.longest;

/** They have far fewer holders. */
const slots_at_once = 1_000;

const slotOfNobody = rule('seat_slots', {
  name: 'seat_of_nobody',
  at_once: slots_at_once,
  by_hand: () => by_repair,
  async wrong(tables, rows) {
    const holders = await holdersOf(
      tables,
      rows.map(({ holder }) => holder),
    );
    return rows.flatMap((row) => {
      // What cannot be read may have it.
      if (!holders.has(row.holder)) return [];
      const holder = holders.get(row.holder);
      const text = `holds seat ${row.seat} of ${JSON.stringify(row.host)} at ${day(row.slot_at)}`;
      if (holder === undefined) return [{ row, text: `${text} for nobody` }];
      return fits(row, holder)
        ? []
        : [{ row, text: `${text} for ${row.holder}, which has another seat or time` }];
    });
  },
  async mend(_, tables, { host, seat, slot_at, holder }) {
    await tables.hosts.lock({ name: host });
    await tables.seat_slots.remove({ host, seat, slot_at, holder });
    await planChanged(tables, host);
  },
});

const slotOfOtherApp = rule('seat_slots', {
  name: 'seat_of_another_app',
  at_once: slots_at_once,
  by_hand: () => by_repair,
  async wrong(tables, rows) {
    const holders = await holdersOf(
      tables,
      rows.map(({ holder }) => holder),
    );
    return rows.flatMap((row) => {
      const holder = holders.get(row.holder);
      return holder === undefined || holder.app === row.app || !fits(row, holder)
        ? []
        : [
            {
              row,
              text: `is noted for ${JSON.stringify(row.app)}; its holder has ${JSON.stringify(holder.app)}`,
            },
          ];
    });
  },
  async mend(_, tables, { holder: id, host, seat, slot_at }) {
    const holder = (await holdersOf(tables, [id])).get(id);
    if (holder === undefined) return;
    await tables.hosts.lock({ name: host });
    await tables.seat_slots.update({ host, seat, slot_at }, { app: holder.app });
    await planChanged(tables, host);
  },
});

/** Which of them have a code that the table of codes does not know as theirs. */
const codeless = async <Row>({ codes }: ReadTables, held: readonly Held<Row>[]): Promise<Wrong<Row>[]> => {
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

const bookingCodes = rule('bookings', {
  name: 'booking_without_code',
  by_hand: ({ id }) => `two have one code: ${cancel(id)}, or give the other one up`,
  async wrong(tables, rows) {
    return codeless(tables, await heldBookings(tables, rows));
  },
  async mend(_, tables, row) {
    for (const holder of await holdersAmong(tables, [row])) await takeCodeBack(tables, holder);
  },
});

const sessionCodes = rule('sessions', {
  name: 'session_without_code',
  by_hand: ({ id }) => `two have one code: ${end(id)}, or give the other one up`,
  async wrong(tables, rows) {
    // One that has ended keeps its seat until its host has let go, but not its code.
    return codeless(tables, heldSessions(rows.filter(({ phase }) => phase !== 'ended')));
  },
  async mend(_, tables, row) {
    const holder = holderAs(row);
    if (holder !== undefined) await takeCodeBack(tables, holder);
  },
});

const codeOfNobody = rule('codes', {
  name: 'code_of_nobody',
  by_hand: () => by_repair,
  async wrong(tables, rows) {
    const live = rows.filter(({ free_at }) => free_at === null);
    const holders = await holdersOf(
      tables,
      live.map(({ holder }) => holder),
    );
    return live.flatMap((row) =>
      !holders.has(row.holder) || holders.get(row.holder)?.code === row.code
        ? []
        : [{ row, text: `is kept for ${row.holder}, which is over or has another one` }],
    );
  },
  async mend({ clock }, { codes }, { code, holder }) {
    const free_at = clock.now() + bounds.code_quarantine_ms;
    await codes.update({ code }, { free_at }, { holder, free_at: null });
  },
});

/** What holds of seats and codes. Who has no right to a seat or code gives it up first. */
export const seatChecks: readonly Check[] = [
  slotOfNobody,
  slotOfOtherApp,
  codeOfNobody,
  bookingSlots,
  sessionSlots,
  bookingCodes,
  sessionCodes,
];
