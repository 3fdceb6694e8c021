import { codeSchema } from '../../../shared/protocol/names.ts';

/** The operator may choose longer codes than four digits; none is longer than this. */
const code_digits_most = 10;
/** So many boxes are drawn before anything is typed. */
const code_digits_least = 4;

/** The code in what a person typed or pasted: an invitation with a link, "12 34", or the digits themselves. */
export const codeFrom = (text: string): string => {
  const linked = /[?&]code=(\d+)/.exec(text)?.[1];
  return (linked ?? text).replace(/\D/g, '').slice(0, code_digits_most);
};

export const isWholeCode = (code: string): boolean => codeSchema.safeParse(code).success;

/** What each box shows. A box is added when the boxes are full and the code may still go on. */
export const boxesOf = (code: string): string[] =>
  Array.from({ length: Math.max(code_digits_least, code.length) }, (_, index) => code[index] ?? '');

/** The box where the next digit goes. */
export const nextBox = (code: string): number => Math.min(code.length, boxesOf(code).length - 1);
