import { parseArgs } from 'node:util';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { startMariadb } from '../../shared/testing/mariadb.ts';
import { openJsonDatabase } from '../store/json/open.ts';
import { benchAvailability } from './bench-availability.ts';
import { benchCreations, benchRawRows } from './bench-sessions.ts';
import { benchSockets } from './bench-sockets.ts';
import { temporaryFolder } from './folder.ts';
import { openMigrated } from './mysql.ts';

/**
 * `bun run bench:coordinator [--sessions N] [--queries N] [--sockets N]`: session creations (no launch) on MariaDB and on
 * the JSON files, beside bare single-row transactions on the same MariaDB; answers about free times; and what idle clients
 * cost. Prints JSON, with the targets; exits with 1 when one of them is missed.
 */
const rounds = 3;

/** Both in turn, several times: whatever else the machine does then meets both. The round with the median share counts. */
const besideRaw = async (at_once: number, sessions: number) => {
  await using mariadb = await startMariadb();
  const url = await mariadb.createDatabase('bench');
  const db = await openMigrated(url);
  try {
    const all = [];
    for (let round = 0; round < rounds; round++) {
      const raw_rows = await benchRawRows(url, { rows: sessions * 4, at_once });
      const creations = await benchCreations(db, { sessions, at_once });
      all.push({ share: creations.per_second / raw_rows.per_second, creations, raw_rows });
    }
    const shares = all.map(({ share }) => Math.round(share * 1_000) / 1_000);
    const median = all.toSorted((a, b) => a.share - b.share)[rounds >> 1];
    return { ...median, share: shares.toSorted((a, b) => a - b)[rounds >> 1] ?? 0, shares };
  } finally {
    await db.close();
  }
};

const onFiles = async (at_once: number, sessions: number) => {
  await using folder = await temporaryFolder();
  const db = await openJsonDatabase({ directory: folder.path, clock: systemClock, log: silentLog });
  try {
    return await benchCreations(db, { sessions, at_once });
  } finally {
    await db.close();
  }
};

/** All measurements. */
export const benchCoordinator = async (sizes: {
  readonly sessions: number;
  readonly queries: number;
  readonly sockets: number;
}) => {
  const { sessions } = sizes;
  const mariadb = [await besideRaw(1, sessions), await besideRaw(16, sessions)];
  const json = [await onFiles(1, sessions), await onFiles(16, sessions)];
  const sockets = await benchSockets(sizes.sockets);
  const availability = sizes.queries === 0 ? undefined : await benchAvailability(sizes.queries);
  const slow = [availability?.mariadb, availability?.json].flatMap((one) =>
    one === undefined ? [] : [one.narrow.p99_ms, one.wide.p99_ms],
  );
  const met = {
    creations_at_least_a_tenth_of_raw_rows: mariadb.every(({ share }) => share >= 0.1),
    availability_p99_at_most_20_ms: slow.every((ms) => ms <= 20),
    sockets_under_200_mib: sockets.open === sizes.sockets && sockets.growth_mib < 200,
  };
  return { creations: { mariadb, json }, availability, sockets, met };
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: { sessions: { type: 'string' }, queries: { type: 'string' }, sockets: { type: 'string' } },
  });
  const report = await benchCoordinator({
    sessions: Number(values.sessions ?? 1_280),
    queries: Number(values.queries ?? 500),
    sockets: Number(values.sockets ?? 10_000),
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  process.exit(Object.values(report.met).every(Boolean) ? 0 : 1);
}
