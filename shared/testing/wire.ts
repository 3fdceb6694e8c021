import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Family } from '../protocol/message.ts';

/** One file of `shared/protocol` that has a version: what it says over the wire, read from its exports. */
export interface WireProtocol {
  /** The file's name without its ending. */
  name: string;
  version: string | number;
  /** Every message of one direction, by the name of the export. */
  families: [name: string, family: Family][];
  /** Single bodies, by the name of the export. */
  bodies: [name: string, schema: z.ZodType][];
}

const isSchema = (value: unknown): value is z.ZodType => value instanceof z.ZodType;

const isFamily = (value: unknown): value is Family => {
  const rows = typeof value === 'object' && value !== null ? Object.values(value) : [];
  return rows.length > 0 && rows.every(isSchema);
};

export const protocolFolder = join(import.meta.dir, '..', 'protocol');

/** Every versioned protocol file, in the order of their names. A new file needs no entry anywhere. */
export const wireProtocols = async (): Promise<WireProtocol[]> => {
  const files = (await readdir(protocolFolder)).filter((file) => /^[a-z-]+\.ts$/.test(file)).sort();
  const modules = await Promise.all(
    files.map(async (file) => ({
      name: file.replace('.ts', ''),
      exports: Object.entries<unknown>(await import(join(protocolFolder, file))),
    })),
  );
  return modules.flatMap(({ name, exports }) => {
    const version = exports.find(([key]) => key.endsWith('_VERSION'))?.[1];
    if (typeof version !== 'string' && typeof version !== 'number') return [];
    const families = exports.flatMap(([key, value]): [string, Family][] =>
      isFamily(value) ? [[key, value]] : [],
    );
    const bodies = exports.flatMap(([key, value]): [string, z.ZodType][] =>
      isSchema(value) ? [[key, value]] : [],
    );
    return [{ name, version, families, bodies }];
  });
};

/** What may stand on the wire: a JSON Schema (of the input side, before a reader's own conversions). */
export const wireSchema = (schema: z.ZodType): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(schema, { io: 'input' });
