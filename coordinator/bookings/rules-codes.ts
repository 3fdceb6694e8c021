import { type Refusal, refuse } from '../../shared/errors.ts';

/** How many codes of this length there are; `start` of `freeCode` is drawn below it. */
export const codeSpace = (digits: number): number => 10 ** digits;

/** The first code at or after `start` (wrapping round) that is not taken; codes_used_up when every code is. */
export const freeCode = (digits: number, start: number, taken: ReadonlySet<string>): string | Refusal => {
  const space = codeSpace(digits);
  // At most taken.size codes are in the way, so one more try than that must meet a free one, if there is any.
  for (let tried = 0; tried <= Math.min(taken.size, space - 1); tried++) {
    const code = String((start + tried) % space).padStart(digits, '0');
    if (!taken.has(code)) return code;
  }
  return refuse('codes_used_up');
};
