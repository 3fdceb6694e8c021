import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { seeded } from '../../shared/testing/random.ts';
import { openJsonDatabase } from '../store/json/open.ts';
import { temporaryFolder } from './folder.ts';

/** What came of it; `lost` and `torn` have to be 0. */
export interface KillReport {
  readonly kills: number;
  readonly acknowledged: number;
  /** Acknowledged transactions that are not there. */
  readonly lost: number;
  /** Transactions of which only a part is there. */
  readonly torn: number;
}

/** Kills a writer with SIGKILL once it has acknowledged a random number of transactions, and looks at what is left; `kills` times. */
export const killWriters = async (kills: number, seed: number): Promise<KillReport> => {
  await using folder = await temporaryFolder();
  const random = seeded(seed);
  const acknowledged: number[] = [];
  let report: KillReport = { kills: 0, acknowledged: 0, lost: 0, torn: 0 };
  let first = 0;
  while (report.kills < kills) {
    const writer = Bun.spawn(
      [process.execPath, join(import.meta.dir, 'json-writer.ts'), folder.path, String(first)],
      { stdout: 'pipe', stderr: 'inherit' },
    );
    const until = 1 + random.below(150);
    let said = '';
    for await (const chunk of writer.stdout) {
      said += Buffer.from(chunk).toString();
      if (said.split('\n').length > until) writer.kill('SIGKILL');
    }
    await writer.exited;
    if (writer.signalCode !== 'SIGKILL') throw new Error('the writer ended by itself');
    acknowledged.push(...said.split('\n').slice(0, -1).map(Number));
    const database = await openJsonDatabase({
      directory: folder.path,
      clock: systemClock,
      log: silentLog,
    });
    const { accounts, slots } = await database.read(async (tables) => ({
      accounts: await tables.accounts.find({}),
      slots: await tables.seat_slots.find({}),
    }));
    await database.close();
    const there = new Set(accounts.map(({ id }) => Number(id.slice(8))));
    const wanted = [...there].reduce((sum, number) => sum + (number % 3 === 0 ? 1 : 2), 0);
    const unfinished = accounts.filter(({ name, version }) => name !== 'changed' || version !== 2).length;
    report = {
      kills: report.kills + 1,
      acknowledged: acknowledged.length,
      lost: acknowledged.filter((number) => !there.has(number)).length,
      torn: unfinished + Math.abs(slots.length - wanted),
    };
    if (report.lost + report.torn > 0) break;
    first = Math.max(-1, ...there) + 1;
  }
  return report;
};

if (import.meta.main) {
  const report = await killWriters(Number(process.argv[2] ?? 300), Number(process.argv[3] ?? 1));
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exit(report.lost + report.torn > 0 ? 1 : 0);
}
