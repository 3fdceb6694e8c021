/** "1 session", "2 sessions", "0.5 minutes": a number with its English noun, whose plural is `many` when "s" does not make it. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
