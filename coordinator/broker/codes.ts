import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { codeSpace, freeCode } from '../domain/codes.ts';
import type { Tables } from '../store/tables.ts';
import type { Services } from './services.ts';

const quarantine_ms = 86_400_000;

export const takeCode = async (
  { ids, clock }: Pick<Services, 'ids' | 'clock'>,
  { codes }: Pick<Tables, 'codes'>,
  holder: string,
  digits: number,
): Promise<string | Refusal> => {
  const now = clock.now();
  await codes.remove({ free_at: { from: 0, to: now } });
  const taken = new Set((await codes.find({})).map(({ code }) => code));
  if (taken.size >= codeSpace(digits) / 5) return refuse('servers_busy', 'no session code is free');
  const code = freeCode(digits, ids.below(codeSpace(digits)), taken);
  if (!isRefusal(code)) await codes.insert({ code, holder, free_at: null });
  return code;
};

export const releaseCode = async (
  { clock }: Pick<Services, 'clock'>,
  { codes }: Pick<Tables, 'codes'>,
  holder: string,
): Promise<void> => {
  for (const { code } of await codes.find({ holder })) {
    await codes.update({ code }, { free_at: clock.now() + quarantine_ms });
  }
};
