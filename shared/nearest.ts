/** How many letters have to be added, dropped, changed or swapped with their neighbour to make `b` of `a`. */
const distance = (a: string, b: string): number => {
  const width = b.length + 1;
  const costs = Array.from({ length: (a.length + 1) * width }, (_, at) =>
    at < width ? at : Math.floor(at / width),
  );
  const cost = (row: number, column: number) => costs[row * width + column] ?? 0;
  for (let row = 1; row <= a.length; row++) {
    for (let column = 1; column <= b.length; column++) {
      const changed = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      costs[row * width + column] = Math.min(
        cost(row - 1, column) + 1,
        cost(row, column - 1) + 1,
        cost(row - 1, column - 1) + changed,
        ...(swapped ? [cost(row - 2, column - 2) + 1] : []),
      );
    }
  }
  return cost(a.length, b.length);
};

const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '');

/**
 * The name of a list that somebody most likely meant: case, dashes and underscores do not count, and up to a third of the
 * letters may differ; or one that begins with what was typed (three letters at least). Undefined when none is near.
 */
export const nearest = (typed: string, names: readonly string[]): string | undefined => {
  const wanted = plain(typed);
  const scored = names.map((name) => {
    const begins = wanted.length > 2 && plain(name).startsWith(wanted);
    return { name, score: begins ? 1 : distance(wanted, plain(name)) };
  });
  const [best] = scored.toSorted((one, other) => one.score - other.score);
  const most = Math.max(1, Math.floor(wanted.length / 3));
  return best !== undefined && best.score <= most ? best.name : undefined;
};
