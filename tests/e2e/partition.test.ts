import { afterAll, beforeAll, expect, test } from 'bun:test';
import { processesOf, startTestSystem, type TestSystem, until } from './harness.ts';

/**
 * A host that cannot be heard (its agent is stopped in its tracks, its app is not): kept while it may come back, given up
 * once after that, and never two apps for one seat (reliability P9, P11).
 */
const patience_ms = 600_000;
const lost_seconds = { brief: 600, long: 3 };
const systems = new Map<string, TestSystem>();

beforeAll(async () => {
  const started = await Promise.all(
    Object.entries(lost_seconds).map(async ([name, host_lost_seconds]) => {
      const configuration = { host_lost_seconds, first_join_seconds: 3_600 };
      return [name, await startTestSystem([{}], configuration)] as const;
    }),
  );
  for (const [name, system] of started) systems.set(name, system);
}, patience_ms);
afterAll(() => Promise.all([...systems.values()].map((system) => system.stop())), patience_ms);

const readySession = async (name: string) => {
  const system = systems.get(name);
  const [agent] = system?.agents ?? [];
  if (system === undefined || agent === undefined) throw new Error('not started');
  const started = await until(
    'a session begins',
    () => system.api('POST', '/api/v1/sessions', { app: 'Loft' }),
    ({ status }) => status === 201,
  );
  const { id } = started.body.session;
  const get = async () =>
    (await system.api('GET', `/api/v1/sessions/${id}`, undefined, started.body.participant_token)).body;
  await until('ready', get, ({ phase }) => phase === 'ready');
  const seatsFree = async () => (await system.api('GET', '/api/v1/apps')).body.apps[0].seats_free;
  const away = () =>
    until(
      'the host is away',
      async () => (await system.api('GET', '/api/v1/apps')).body.apps[0],
      ({ seats }) => seats === 0,
    );
  return { system, agent, id, get, seatsFree, away };
};

test(
  'a pause() shorter than the host may be away costs nothing: same session, same processes',
  async () => {
    const { agent, id, get, away } = await readySession('brief');
    const before = processesOf(id).map(({ pid }) => pid);
    agent.kill('SIGSTOP');
    await away();
    agent.kill('SIGCONT');
    await agent.line(({ msg }) => String(msg).startsWith('the link to the coordinator was lost'));
    const session = await until('the host is back', get, ({ phase }) => phase === 'ready');
    expect(session.end).toBeNull();
    expect(processesOf(id).map(({ pid }) => pid)).toEqual(before);
  },
  patience_ms,
);

test(
  'a pause() that is too long ends the session once, and the host that returns frees its seat',
  async () => {
    const { system, agent, id, get, seatsFree } = await readySession('long');
    agent.kill('SIGSTOP');
    const ended = await until('given up', get, ({ phase }) => phase === 'ended');
    expect(ended.end.reason).toBe('host_lost');
    expect(processesOf(id)).not.toEqual([]);
    expect((await system.api('POST', '/api/v1/sessions', { app: 'Loft' })).body.code).toBe('app_offline');
    agent.kill('SIGCONT');
    await until(
      'its processes are gone',
      async () => processesOf(id).length,
      (count) => count === 0,
    );
    await until('the seat is free', seatsFree, (seats) => seats === 1);
    const next = await readySession('long');
    expect((await get()).end.reason).toBe('host_lost');
    expect(processesOf(next.id)).toHaveLength(2);
  },
  patience_ms,
);
