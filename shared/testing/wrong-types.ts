import type { z } from 'zod';

/** What no person would write for a key that wants something else; each key takes some of them. */
const oddities: readonly unknown[] = [null, {}, [], 7, 'x', true, -1, 1.5, '', [7], [{}], { a: 7 }];

type Path = readonly (string | number)[];

interface Inner {
  type: string;
  innerType?: z.ZodType;
  in?: z.ZodType;
  out?: z.ZodType;
  element?: z.ZodType;
  valueType?: z.ZodType;
  options?: z.ZodType[];
  shape?: Record<string, z.ZodType>;
}

const insides = (schema: z.ZodType, path: Path): [z.ZodType, Path][] => {
  const {
    innerType,
    in: first,
    out,
    element,
    valueType,
    options = [],
    shape = {},
  } = schema._zod.def as unknown as Inner;
  const same = [innerType, first, out, ...options].flatMap((inner) => (inner === undefined ? [] : [inner]));
  const found: [z.ZodType, Path][] = same.map((inner) => [inner, path]);
  if (element !== undefined) found.push([element, [...path, 0]]);
  if (valueType !== undefined) found.push([valueType, [...path, 'key']]);
  for (const [key, value] of Object.entries(shape)) found.push([value, [...path, key]]);
  return found;
};

const within = ([first, ...rest]: Path, value: unknown): unknown => {
  if (first === undefined) return value;
  return typeof first === 'number' ? [within(rest, value)] : { [first]: within(rest, value) };
};

/** Keys of the schema, as "turn.urls[0]", for a wrong type of which a person is told nothing but that it is wrong. */
export const silentKeys = (schema: z.ZodType): string[] => {
  const found = new Set<string>();
  const visit = (inner: z.ZodType, path: Path): void => {
    for (const oddity of oddities) {
      const issues = schema.safeParse(within(path, oddity)).error?.issues ?? [];
      for (const issue of issues)
        if (/^Invalid( input)?$/.test(issue.message)) found.add(issue.path.join('.'));
    }
    for (const [deeper, longer] of insides(inner, path)) visit(deeper, longer);
  };
  visit(schema, []);
  return [...found].sort();
};
