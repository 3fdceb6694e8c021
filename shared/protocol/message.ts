import { z } from 'zod';

/**
 * A family is every message that may travel in one direction of one socket: tag value -> schema. The schema is the
 * message's type, its validator and its documentation at once.
 */
export type Family = Readonly<Record<string, z.ZodType>>;

/** The union of a family's messages. */
export type MessageOf<F extends Family> = { [K in keyof F]: z.infer<F[K]> }[keyof F];

/**
 * One handler a message, in a table: a missing row does not compile. Handlers may return a promise; its rejection is
 * caught by the door like a throw.
 */
export type Handlers<F extends Family, Context> = {
  readonly [K in keyof F]: (message: z.infer<F[K]>, context: Context) => void | Promise<void>;
};

/** The fields that may carry a message's name, in the order in which they are looked at. */
export type Tag = 'type' | 'verb' | 'msg';

const tagged = <T extends Tag, N extends string>(tag: T, name: N) =>
  ({ [tag]: z.literal(name) }) as { [K in T]: z.ZodLiteral<N> };

/** A message of our own: unknown fields are an error. */
export const strict = <T extends Tag, N extends string, S extends z.ZodRawShape>(tag: T, name: N, shape: S) =>
  z.strictObject({ ...tagged(tag, name), ...shape } as { [K in T]: z.ZodLiteral<N> } & S);

/** A message on which versions meet: what a newer peer adds to it is dropped. */
export const tolerant = <T extends Tag, N extends string, S extends z.ZodRawShape>(
  tag: T,
  name: N,
  shape: S,
) => z.object({ ...tagged(tag, name), ...shape } as { [K in T]: z.ZodLiteral<N> } & S);

/** A message of Epic's: unknown fields are kept, because they are relayed as received. */
export const loose = <T extends Tag, N extends string, S extends z.ZodRawShape>(tag: T, name: N, shape: S) =>
  z.looseObject({ ...tagged(tag, name), ...shape } as { [K in T]: z.ZodLiteral<N> } & S);

/** The text of a message, checked by the compiler against its family. */
export const encode = <F extends Family>(_family: F, message: MessageOf<F>): string =>
  JSON.stringify(message);
