import { z } from 'zod';

/** A flag: what it means, and the schema that its text, or its absence, has to fit. */
export interface Flag<S extends z.ZodType = z.ZodType> {
  readonly kind: 'toggle' | 'value' | 'values';
  /** What stands for its value in the help: "DIR"; '' when it has none. */
  readonly shows: string;
  readonly about: string;
  readonly schema: S;
  /** Its letter: "f" for `-f`. */
  readonly short?: string | undefined;
}

/** A word without dashes, in its place behind the command. */
export interface Word<S extends z.ZodType = z.ZodType> extends Pick<Flag<S>, 'shows' | 'about' | 'schema'> {
  /** Words of this shape may begin with a dash. */
  readonly dashed?: RegExp;
}

/** One command of a program: a row of its table. */
export interface Command {
  readonly about: string;
  readonly words?: Readonly<Record<string, Word>>;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Takes everything behind its words as it stands, dashes, `--help` and all: "[ARGUMENTS...]". */
  readonly rest?: string;
  /** Other spellings. */
  readonly also?: readonly string[];
  /** Nobody types it: no help names it. */
  readonly hidden?: true;
}

/** The commands by name; a name may have two words: "admin create". */
export type Commands = Readonly<Record<string, Command>>;

export interface CommandLine<C extends Commands = Commands> {
  readonly name: string;
  readonly about: string;
  readonly version: string;
  readonly commands: C;
}

type Outputs<F> = { readonly [K in keyof F]: F[K] extends { schema: infer S } ? z.output<S> : never };

/** What a command was given: its flags, its words, and the rest where it takes one. */
export type Given<C extends Command> = Outputs<C['flags']> &
  (C['words'] extends object ? Outputs<C['words']> : unknown) &
  (C['rest'] extends string ? { readonly rest: readonly string[] } : unknown);

/** A command that was asked for. */
export type Asked<C extends Commands> = {
  [N in keyof C & string]: { readonly name: N; readonly given: Given<C[N]> };
}[keyof C & string];

/** What to print instead of running a command: help or version (code 0), or what is wrong (code 2, on standard error). */
export interface Answer {
  readonly text: string;
  readonly code: 0 | 2;
}

/** One function for each command; a missing row does not compile. */
export type Handlers<C extends Commands, Context extends unknown[] = []> = {
  readonly [N in keyof C]: (given: Given<C[N]>, ...context: Context) => number | Promise<number>;
};

/** A text that is not empty. */
export const text = z.string().min(1, 'must not be empty');

export const toggle = (about: string, short?: string): Flag<z.ZodDefault<z.ZodBoolean>> => ({
  kind: 'toggle',
  shows: '',
  about,
  schema: z.boolean().default(false),
  short,
});

export const value = <S extends z.ZodType>(shows: string, about: string, schema: S): Flag<S> => ({
  kind: 'value',
  shows,
  about,
  schema,
});

/** A flag that may be repeated. */
export const values = <S extends z.ZodType>(
  shows: string,
  about: string,
  schema: S,
): Flag<z.ZodDefault<z.ZodArray<S>>> => ({
  kind: 'values',
  shows,
  about,
  schema: z.array(schema).default([]),
});

/** A whole number in digits, for a flag. */
export const digits = (least: number, most: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a number from ${least} to ${most}`)
    .transform(Number)
    .refine((number) => number >= least && number <= most, `must be a number from ${least} to ${most}`);
