import { z } from 'zod';

/** Writes a value as it stands on the wire. */
export type Encode = (value: unknown) => unknown;

/** The schemas around this one which say only whether a value may be missing or changed. */
const isWrapper = (schema: unknown): schema is { unwrap(): z.core.$ZodType } =>
  schema instanceof z.ZodOptional ||
  schema instanceof z.ZodNullable ||
  schema instanceof z.ZodReadonly ||
  schema instanceof z.ZodDefault;

/** Schemas of what is written as it is. */
const leaves = [
  z.ZodString,
  z.ZodStringFormat,
  z.ZodNumber,
  z.ZodBoolean,
  z.ZodEnum,
  z.ZodLiteral,
  z.ZodNull,
  z.ZodUnknown,
  z.ZodAny,
];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** With the fields that `encoders` name encoded; the others stay as they are. */
const fieldsEncoded = (
  value: Record<string, unknown>,
  encoders: readonly (readonly [string, Encode])[],
): Record<string, unknown> => {
  const encoded = { ...value };
  for (const [name, encode] of encoders) if (Object.hasOwn(value, name)) encoded[name] = encode(value[name]);
  return encoded;
};

/** By the first of the variants that the value fits; one that fits none stays as it is. */
const variantEncoder = (variants: readonly z.core.$ZodType[]): Encode | undefined => {
  const encoders = variants.map(changesOf);
  if (encoders.every((encode) => encode === undefined)) return undefined;
  return (value) => {
    const at = variants.findIndex((variant) => z.safeParse(variant, value).success);
    return (encoders[at] ?? ((same) => same))(value);
  };
};

/** What writes values of the schema, or undefined where they are written as they are. Throws for a kind that it does not know. */
const changesOf = (schema: z.core.$ZodType): Encode | undefined => {
  if (schema instanceof z.ZodCodec) {
    return (value) => {
      const encoded = z.safeEncode(schema, value);
      return encoded.success ? encoded.data : value;
    };
  }
  if (isWrapper(schema)) return changesOf(schema.unwrap());
  if (schema instanceof z.ZodPipe) return changesOf(schema.out);
  if (schema instanceof z.ZodUnion) return variantEncoder(schema.options);
  if (schema instanceof z.ZodArray) {
    const encode = changesOf(schema.element);
    return encode && ((value) => (Array.isArray(value) ? value.map((one) => encode(one)) : value));
  }
  if (schema instanceof z.ZodRecord) {
    const encode = changesOf(schema.valueType);
    return (
      encode &&
      ((value) =>
        isObject(value)
          ? fieldsEncoded(
              value,
              Object.keys(value).map((name) => [name, encode]),
            )
          : value)
    );
  }
  if (schema instanceof z.ZodObject) {
    const encoders = Object.entries<z.core.$ZodType>(schema.shape).flatMap(([name, field]) => {
      const encode = changesOf(field);
      return encode === undefined ? [] : [[name, encode] as const];
    });
    if (encoders.length === 0) return undefined;
    return (value) => (isObject(value) ? fieldsEncoded(value, encoders) : value);
  }
  if (leaves.some((leaf) => schema instanceof leaf)) return undefined;
  throw new Error(`no encoder for a schema of the kind "${schema._zod.def.type}"`);
};

/**
 * What writes values of this schema, as its reader has them, in their form on the wire: each codec in it (an instant) encoded.
 * Unlike `z.encode` it neither validates nor refuses: fields that the schema does not name, and values that do not fit, stay as they are.
 */
export const encoderOf = (schema: z.ZodType): Encode => changesOf(schema) ?? ((value) => value);
