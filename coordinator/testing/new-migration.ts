import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type DrizzleMySQLSnapshotJSON,
  generateMySQLDrizzleJson,
  generateMySQLMigration,
} from 'drizzle-kit/api';
import { sqlSchema } from '../store/mysql/schema.ts';

/**
 * `bun coordinator/testing/new-migration.ts NAME` writes the SQL that leads from the schema of the last migration to the
 * one of `coordinator/store/shapes.ts`. A person reviews it, comments it, and adds it to `store/mysql/migrations.ts`.
 */
const folder = resolve(import.meta.dir, '..', '..', 'migrations');
const snapshotPath = join(folder, 'snapshot.json');

/** Steps that can be repeated: indexes of a new table stand in its CREATE TABLE, which does nothing when it is there. */
const repeatable = (statements: readonly string[]): string[] => {
  const created = new Map<string, string>();
  const steps: string[] = [];
  for (const statement of statements) {
    const [, table] = /^CREATE TABLE `(\w+)`/.exec(statement) ?? [];
    const [, index, on, columns] = /^CREATE INDEX `(\w+)` ON `(\w+)` (\(.+\));?/.exec(statement) ?? [];
    const owner = on === undefined ? undefined : created.get(on);
    if (table !== undefined) {
      created.set(table, statement.trim().replace('CREATE TABLE', 'CREATE TABLE IF NOT EXISTS'));
    } else if (on !== undefined && owner !== undefined) {
      created.set(on, owner.replace(/\n\);$/, `,\n\tINDEX \`${index}\` ${columns}\n);`));
    } else steps.push(statement.trim());
  }
  const tables = [...created.values()].map((sql) =>
    sql
      .replace(/\);$/, ') ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;')
      .replace(/CONSTRAINT `\w+_pk` /g, ''),
  );
  return [...tables, ...steps];
};

const snapshot: DrizzleMySQLSnapshotJSON = (await Bun.file(snapshotPath).exists())
  ? await Bun.file(snapshotPath).json()
  : await generateMySQLDrizzleJson({});
const wanted = await generateMySQLDrizzleJson(sqlSchema(), snapshot.id);
const steps = repeatable(await generateMySQLMigration(snapshot, wanted));
const name = process.argv[2] ?? '';
if (!/^[a-z0-9_]+$/.test(name) || steps.length === 0) {
  process.stderr.write(
    steps.length === 0 ? 'the schema has not changed\n' : 'give it a name, like add_notes\n',
  );
  process.exit(1);
}
const last = (await readdir(folder)).filter((file) => file.endsWith('.sql')).length;
const path = join(folder, `${String(last + 1).padStart(4, '0')}_${name}.sql`);
await Bun.write(path, `${steps.join('\n--> statement-breakpoint\n')}\n`.replaceAll('\t', '  '));
await Bun.write(snapshotPath, `${JSON.stringify(wanted)}\n`);
process.stderr.write(`${path}\n`);
