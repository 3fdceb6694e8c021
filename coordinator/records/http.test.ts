import { describe, expect, test } from 'bun:test';
import { recordSchema, recordsSchema } from '../../shared/protocol/records.ts';
import { routesUnderTest } from '../testing/routes.ts';
import { recordRow } from '../testing/rows.ts';
import { recordRoutes } from './http.ts';

const withRecords = async (...rows: ReturnType<typeof recordRow>[]) => {
  const reads = { count: 0 };
  const under = routesUnderTest(({ db }) =>
    recordRoutes({
      db: {
        shared: db.shared,
        transact: (work) => db.transact(work),
        read: (work) => {
          reads.count += 1;
          return db.read(work);
        },
        health: () => db.health(),
        compact: () => db.compact(),
        close: () => db.close(),
      },
    }),
  );
  await under.db.transact(({ records }) => records.insert(...rows));
  under.who.role = 'operator';
  const page = async (query: string) => recordsSchema.parse(await under.json('GET', `/records${query}`));
  return { ...under, reads, page, ids: async (query: string) => idsOf((await page(query)).records) };
};

const idsOf = (records: readonly { session_id: string }[]) => records.map(({ session_id }) => session_id);
const many = (count: number) => Array.from({ length: count }, (_, at) => recordRow(at));

/** A reader of RFC 4180, written out for the test. */
const readCsv = (text: string): string[][] =>
  Array.from(
    text.matchAll(/((?:"(?:[^"]|"")*"|[^,\r]*)(?:,(?:"(?:[^"]|"")*"|[^,\r]*))*)\r\n/g),
    ([, line = '']) =>
      Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, quoted, plain]) =>
        quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
      ),
  );

describe('recordRoutes()', () => {
  test('recordRoutes() lists pages, newest end first, each record once', async () => {
    const { page, ids } = await withRecords(...many(120));
    const all = idsOf(many(120)).reverse();
    expect((await page('')).records).toHaveLength(50);
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const found = await page(`?limit=33${next === '' ? '' : `&after=${next}`}`);
      seen.push(...idsOf(found.records));
      next = found.next;
    }
    expect(seen).toEqual(all);
    expect(await ids('?limit=120')).toEqual(all);
    expect((await page('?limit=120')).next).toBeNull();
  });

  test('recordRoutes() filters by the end, the app and the account', async () => {
    const { ids } = await withRecords(
      recordRow(1, { ended_at: 1_000, app: 'garden' }),
      recordRow(2, { ended_at: 2_000, app: 'tower', account_id: 'account-1' }),
      recordRow(3, { ended_at: 3_000, app: 'tower' }),
    );
    expect(await ids('?from=1000&to=3000')).toEqual(['session-2', 'session-1']);
    expect(await ids('?from=1970-01-01T00:00:02Z')).toEqual(['session-3', 'session-2']);
    expect(await ids('?app=tower&to=3000')).toEqual(['session-2']);
    expect(await ids('?account=account-1')).toEqual(['session-2']);
    expect(await ids('?app=castle')).toEqual([]);
    expect(await ids('?from=3000&to=1000')).toEqual([]);
  });

  test('recordRoutes() shows one record, with the name of its end', async () => {
    const { json, refused } = await withRecords(recordRow(1), recordRow(2, { end_reason: 999 }));
    const shown = recordSchema.parse(await json('GET', '/records/session-1'));
    expect(shown).toMatchObject({ phases: { accepted: 1, ready: 401 }, minutes: 12 });
    expect(shown.end).toEqual({ code: 1, name: 'last_left' });
    const other = recordSchema.parse(await json('GET', '/records/session-2'));
    expect(other.end).toEqual({ code: 999, name: null });
    expect(await refused('GET', '/records/session-3')).toBe('session_unknown');
  });

  test('recordRoutes() exports what a spreadsheet reads and does not run', async () => {
    const { request } = await withRecords(
      recordRow(1, { app: '=cmd|"/c calc"!A1', host: 'one, "two"', account_id: '-account' }),
      recordRow(2, { app: 'Сад' }),
    );
    const response = await request('GET', '/records.csv');
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(response.headers.get('content-disposition')).toContain('attachment');
    const bytes = await response.bytes();
    expect([...bytes.subarray(0, 4)]).toEqual([0xef, 0xbb, 0xbf, 's'.charCodeAt(0)]);
    const text = new TextDecoder().decode(bytes);
    const [names, ...lines] = readCsv(text);
    const table = lines.map((line) => Object.fromEntries(line.map((cell, at) => [names?.[at], cell])));
    expect(table).toMatchObject([
      { session_id: 'session-2', app: 'Сад', end_reason: 'last_left', account_id: '', booking_id: '' },
      {
        app: '\'=cmd|"/c calc"!A1',
        host: 'one, "two"',
        account_id: "'-account",
        started_at: '2026-11-02T09:01:00.000Z',
        ended_at: '2026-11-02T09:13:00.000Z',
        minutes: '12',
      },
    ]);
  });

  test('recordRoutes() exports more than one page, and reads no page before the one before is taken', async () => {
    const under = await withRecords(...many(1_000));
    const all = many(11_000);
    for (let from = 1_000; from < all.length; from += 1_000) {
      await under.db.transact(({ records }) => records.insert(...all.slice(from, from + 1_000)));
    }
    const text = await (await under.request('GET', '/records.csv')).text();
    const ids = text.split('\r\n').map((line) => line.slice(0, line.indexOf(',')));
    expect(ids).toEqual(['session_id', ...idsOf(all).reverse(), '']);
    expect(under.reads.count).toBe(3);
    under.reads.count = 0;
    const response = await under.request('GET', '/records.csv');
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(under.reads.count).toBeLessThan(3);
    const few = readCsv(await (await under.request('GET', '/records.csv?app=tower')).text());
    expect(few).toHaveLength(1);
  });

  test('recordRoutes() is for operators, and refuses what is no query', async () => {
    const { who, refused } = await withRecords(recordRow(1));
    for (const query of [
      'limit=0',
      'limit=201',
      'limit=x',
      'after=gone',
      'after=%20',
      'from=soon',
      'from=2026',
      'from=20260101',
      'to=-1',
    ]) {
      expect(await refused('GET', `/records?${query}`)).toBe('malformed');
    }
    for (const path of ['/records', '/records.csv', '/records/session-1']) {
      who.role = 'user';
      expect(await refused('GET', path)).toBe('forbidden');
      who.role = undefined;
      expect(await refused('GET', path)).toBe('account_required');
    }
  });
});
