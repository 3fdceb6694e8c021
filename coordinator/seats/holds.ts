import type { Where } from '../store/table.ts';
import type { ReadTables, SeatSlot } from '../store/tables.ts';
import type { Hold } from './rules-plans.ts';
import { slot_ms } from './rules-slots.ts';

/** The slot as a time that is taken. */
export const holdOf = ({ host, seat, slot_at, app }: SeatSlot): Hold => ({
  host,
  seat,
  from: slot_at,
  to: slot_at + slot_ms,
  app,
});

/** Who holds which seats of the hosts, or these seats of one, from now on until `to`, slot by slot. */
export const holdsOf = async (
  { seat_slots }: Pick<ReadTables, 'seat_slots'>,
  where: Pick<Where<SeatSlot>, 'host' | 'seat'>,
  now: number,
  to: number,
): Promise<Hold[]> => {
  const slots = await seat_slots.find({
    ...where,
    slot_at: { from: Math.floor(now / slot_ms) * slot_ms, to },
  });
  return slots.map(holdOf);
};
