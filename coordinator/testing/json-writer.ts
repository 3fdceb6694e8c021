import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { openJsonDatabase } from '../store/json/open.ts';
import { account, slot } from './rows.ts';

/**
 * Writes to the JSON database of a directory until it is killed, and prints the number of each transaction once that is
 * acknowledged. Arguments: the directory and the first number.
 */
const [directory = '', first = '0'] = process.argv.slice(2);
const database = await openJsonDatabase({
  directory,
  clock: systemClock,
  log: silentLog,
  // Files are written anew all the time, so that kills hit that, too.
  bounds: { journal_bytes: 4_000 },
});
let next = Number(first);

const write = async (): Promise<void> => {
  for (;;) {
    const number = next++;
    await database.transact(async ({ accounts, seat_slots }) => {
      await accounts.insert(account(number));
      await seat_slots.insert(slot(number), slot(number, { seat: 1 }));
      await accounts.update({ id: `account-${number}` }, { name: 'changed' });
      if (number % 3 === 0) await seat_slots.remove({ slot_at: slot(number).slot_at, seat: 1 });
    });
    process.stdout.write(`${number}\n`);
  }
};
await Promise.all([write(), write(), write(), write()]);
