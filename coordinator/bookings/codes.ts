import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../kit/limits.ts';
import type { Services } from '../kit/services.ts';
import { Taken } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import { codeSpace, freeCode } from './rules-codes.ts';

/** Rows that are read to find a free code from a random one on. */
const window_rows = 64;
const attempts = 20;
/** Codes shorter than this can be guessed, and few of them may be in use; there are more longer ones than bookings. */
const long_digits = 6;

const isAdded = async (codes: Tables['codes'], code: string, holder: string): Promise<boolean> => {
  try {
    await codes.insert({ code, holder, free_at: null });
    return true;
  } catch (error) {
    if (error instanceof Taken) return false;
    throw error;
  }
};

/**
 * Takes a free code for the holder, within a transaction; codes_used_up when a fifth of all codes is in use or quarantine:
 * more would be found by guessing.
 */
export const takeCode = async (
  { clock, ids }: Pick<Services, 'clock' | 'ids'>,
  { codes }: Pick<Tables, 'codes'>,
  holder: string,
  digits: number,
): Promise<string | Refusal> => {
  const now = clock.now();
  const space = codeSpace(digits);
  if (digits < long_digits && (await codes.count({})) >= space / 5) {
    const expired = await codes.remove({ free_at: { to: now + 1 } }, { limit: window_rows });
    if (expired === 0) return refuse('codes_used_up');
  }
  for (let attempt = 0; attempt < attempts; attempt++) {
    const start = ids.below(space);
    const from = String(start).padStart(digits, '0');
    // Four of five codes are free at least.
    if (await isAdded(codes, from, holder)) return from;
    const near = await codes.find({ code: { from } }, { limit: window_rows });
    const live = near.filter(({ free_at }) => free_at === null || free_at > now);
    const code = freeCode(digits, start, new Set(live.map((row) => row.code)));
    if (isRefusal(code)) return code;
    const expired = near.find((row) => row.code === code);
    if (expired !== undefined) {
      const changes = { holder, free_at: null };
      if (await codes.update({ code }, changes, { free_at: expired.free_at })) return code;
      continue;
    }
    // Another transaction may have taken it since, or it stands behind a full window.
    if (await isAdded(codes, code, holder)) return code;
  }
  return refuse('codes_used_up');
};

/**
 * The holder's code opens nothing any more, and nothing else until the quarantine is over: who still has it must not come
 * into the session of strangers. `opened`: whether it ever let anybody in.
 */
export const releaseCode = async (
  { clock }: Pick<Services, 'clock'>,
  { codes }: Pick<Tables, 'codes'>,
  holder: string,
  { opened }: { readonly opened: boolean } = { opened: true },
): Promise<void> => {
  // Nobody could use a code that never opened, and who books and cancels must not use up the codes of a day.
  const quarantine_ms = opened ? bounds.code_quarantine_ms : bounds.unused_code_quarantine_ms;
  const free_at = clock.now() + quarantine_ms;
  for (const { code } of await codes.find({ holder }))
    await codes.update({ code }, { free_at }, { holder, free_at: null });
};
