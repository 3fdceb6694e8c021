import { expect, test } from 'bun:test';
import { type Account, compacted, type Entry, entrySchema, fold, noAccount } from './journal.ts';

const order = (generation = 1) => ({
  verb: 'CREATE_SESSION' as const,
  session_id: 'session-00000000000001',
  generation,
  rc_name: 'Flat',
  user_id: 'user-1',
  code: '1234',
  ice_servers: [],
});
const instance_id = 'instance-0000000000001';
const ports = { player: 1, streamer: 2, sfu: 3 };
const app = { rc_name: 'Flat' };
const launch = { is: 'launch' as const, instance_id, app, card: 1, secret: 's', at: 5 };
const of = (...entries: Entry[]): Account => entries.reduce(fold, noAccount);
const record = (account: Account) => account.instances.get(instance_id);

test('fold() tells an intended program from one that is known, and forgets it with the next intent', () => {
  const intended = of(launch, { is: 'intent', instance_id, role: 'app', ports, at: 6 });
  expect(record(intended)).toMatchObject({ card: 1, ports, app_starts: [6], app_program: {}, ready: false });
  const process = { pid: 7, born: '1@boot' };
  const started = fold(intended, { is: 'started', instance_id, role: 'app', process });
  expect(record(started)?.app_program).toEqual({ process });
  expect(record(started)?.signalling_program).toBeUndefined();
  const again = fold(started, { is: 'intent', instance_id, role: 'app', ports, at: 8 });
  expect(record(again)).toMatchObject({ app_program: {}, app_starts: [6, 8] });
});

test('fold() knows whether the app that was started last has registered, and not only one before it', () => {
  const start = { is: 'intent' as const, instance_id, role: 'app' as const, ports, at: 6 };
  const ready = of(launch, start, { is: 'ready', instance_id });
  expect(record(ready)).toMatchObject({ ready: true, app_ready: true });
  const again = fold(ready, { ...start, role: 'signalling' });
  expect(record(again)).toMatchObject({ ready: true, app_ready: true });
  expect(record(fold(again, start))).toMatchObject({ ready: true, app_ready: false });
});

test('fold() binds a session once it is said, and remembers how it ended', () => {
  const bound = of(launch, { is: 'ready', instance_id }, { is: 'bound', instance_id, order: order(), at: 9 });
  expect(record(bound)).toMatchObject({ ready: true, bound_at: 9, order: { generation: 1 } });
  const ending = { reason: 'idle' as const, detail: 'x' };
  const stopping = fold(bound, { is: 'stopping', instance_id, ending });
  expect(record(stopping)?.ending).toEqual(ending);
  const ended = fold(stopping, { is: 'ended', instance_id });
  expect(ended.instances.size).toBe(0);
  const { session_id } = order();
  expect(ended.over.get(session_id)).toEqual({ session_id, generation: 1, reason: 'idle' });
});

test('fold() of a line about nothing changes nothing, and a warm instance leaves no ended session', () => {
  expect(of({ is: 'ready', instance_id })).toEqual(noAccount);
  expect(of(launch, { is: 'ended', instance_id })).toEqual(noAccount);
});

test('fold() remembers a thousand ended sessions and no more, the latest', () => {
  const over = (i: number): Entry => ({
    is: 'over',
    over: { session_id: `session-${String(i).padStart(14, '0')}`, generation: 1, reason: 'idle' },
  });
  const { over: kept } = of(...Array.from({ length: 1_005 }, (_, i) => over(i)));
  expect(kept.size).toBe(1_000);
  expect([...kept.keys()][0]).toBe('session-00000000000005');
});

test('compacted() comes to the same account, and each of its lines is a valid one', () => {
  const account = of(
    { ...launch, order: order(2) },
    { is: 'intent', instance_id, role: 'signalling', ports, at: 6 },
    { is: 'started', instance_id, role: 'signalling', process: { pid: 7, born: '1@boot' } },
    { is: 'over', over: { session_id: order().session_id, generation: 1, reason: 'app_hung' } },
  );
  const lines = compacted(account).map((entry) => JSON.stringify(entry));
  expect(lines).toHaveLength(2);
  expect(of(...lines.map((line) => entrySchema.parse(JSON.parse(line))))).toEqual(account);
});
