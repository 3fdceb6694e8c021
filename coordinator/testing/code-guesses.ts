import { parseArgs } from 'node:util';
import { z } from 'zod';
import { systemClock } from '../../shared/clock.ts';
import { participationSchema, problemSchema } from '../../shared/protocol/http.ts';
import { startMariadb } from '../../shared/testing/mariadb.ts';
import { seeded } from '../../shared/testing/random.ts';
import { bounds } from '../kit/limits.ts';
import { compareCodes, post } from './code-probes.ts';
import { type CoordinatorProcess, startCoordinatorProcess } from './coordinator-process.ts';
import { type FakeAgent, fakeAgent } from './fake-agent.ts';
import { openMigrated } from './mysql.ts';
import { percentiles } from './percentiles.ts';
import { entry, keyOf } from './store.ts';

/**
 * `bun run chaos:codes [--guesses 20000] [--addresses 500] [--seed 1]`: two coordinators on one MariaDB, behind a proxy,
 * are asked for random session codes from many addresses as fast as they answer, while somebody who was invited joins
 * every second. The guessers have no luck: a right code that is hit by chance spends nothing, and then nothing could be counted. Then right codes and wrong ones are typed in turn, and everything that a caller can see of both is
 * compared. Prints JSON; exits with 1 when more codes were looked at than the budgets say, anybody came in, right and wrong
 * differed in anything, or an invited visitor did not get in.
 */
const guessers = 64;
const seats = 8;
/** One app on each coordinator's host: sessions live where their host is connected. */
const sides = [
  { host: 'a', app: 'Loft' },
  { host: 'b', app: 'Villa' },
] as const;

export interface GuessOptions {
  readonly guesses: number;
  readonly addresses: number;
  readonly seed: number;
  /** An invited visitor comes so often. */
  readonly honest_every_ms: number;
}

const configuration = {
  trusted_proxy_hops: 1,
  // So much that only the budgets of codes are in the way.
  requests_per_second: 10_000,
  requests_burst: 100_000,
  starts_per_minute: 100_000,
  first_join_seconds: 3_600,
  host_lost_seconds: 86_400,
};

/** Sessions on all seats of a coordinator's host; the secrets of their invites. */
const openSessions = async (
  { port }: CoordinatorProcess,
  { host, app }: (typeof sides)[number],
): Promise<{ agent: FakeAgent; invites: string[]; codes: string[] }> => {
  const hello = { server_name: host, seats, apps: [app] };
  const agent = await fakeAgent(`ws://127.0.0.1:${port}/agent`, keyOf(host), hello);
  await agent.next('WELCOME');
  const [invites, codes]: string[][] = [[], []];
  for (let seat = 0; seat < seats; seat++) {
    const made = await post(port, 'sessions', '192.0.2.2', { app });
    const { session } = participationSchema.parse(await made.json());
    await agent.launch();
    invites?.push(session.invite ?? '');
    codes?.push(session.code);
  }
  return { agent, invites: invites ?? [], codes: codes ?? [] };
};

interface Guessed {
  /** Answers by code; "waits" where the code was not looked at, "entered" where it was, and right. */
  readonly answers: Record<string, number>;
  readonly took_ms: number[];
}

/** Guesses from one address after another, every third without an app; none of them is one of the `live` codes. */
const guessAll = async (
  ports: readonly number[],
  live: ReadonlySet<string>,
  { guesses, addresses, seed }: GuessOptions,
): Promise<Guessed> => {
  const random = seeded(seed);
  const answers: Record<string, number> = {};
  const took_ms: number[] = [];
  let made = 0;
  const drawCode = (): string => {
    const code = String(random.below(10_000)).padStart(4, '0');
    return live.has(code) ? drawCode() : code;
  };
  const one = async () => {
    const number = made++;
    const address = `198.18.${Math.floor((number % addresses) / 250)}.${1 + (number % 250)}`;
    const code = drawCode();
    const app = sides[number % 3]?.app;
    const from = systemClock.monotonic();
    const response = await post(ports[random.below(ports.length)] ?? 0, 'join', address, {
      code,
      ...(app === undefined ? {} : { app }),
    });
    const body = z.union([problemSchema, participationSchema]).parse(await response.json());
    took_ms.push(systemClock.monotonic() - from);
    const waits = 'session' in body && body.session.waiting.includes(body.participant_id);
    const said = 'code' in body ? body.code : waits ? 'waits' : 'entered';
    answers[said] = (answers[said] ?? 0) + 1;
  };
  const guesser = async () => {
    while (made < guesses) await one();
  };
  await Promise.all(Array.from({ length: guessers }, guesser));
  return { answers, took_ms };
};

/** Joins by invite again and again; `stop` gives how long each took, and how many did not get in. */
const joinHonestly = (doors: readonly { port: number; invite: string }[], every_ms: number) => {
  const took_ms: number[] = [];
  const failures: string[] = [];
  const joins: Promise<void>[] = [];
  const join = async (number: number) => {
    const door = doors[number % doors.length];
    const from = systemClock.monotonic();
    const response = await post(door?.port ?? 0, 'join', '203.0.113.7', { invite: door?.invite });
    const text = await response.text();
    took_ms.push(systemClock.monotonic() - from);
    if (response.status !== 200) {
      failures.push(text);
      return;
    }
    const { session, participant_token } = participationSchema.parse(JSON.parse(text));
    const leave = `http://127.0.0.1:${door?.port}/api/v1/sessions/${session.id}/leave`;
    await fetch(leave, { method: 'POST', headers: { Authorization: `Bearer ${participant_token}` } });
  };
  const start = () => void joins.push(join(joins.length));
  start();
  const cancel = systemClock.every(every_ms, start);
  return {
    async stop() {
      cancel();
      await Promise.all(joins);
      return { joins: joins.length, failures, ...percentiles(took_ms) };
    },
  };
};

/** What the budgets let through in half an hour, for both apps and those who name none. */
const budget = bounds.wrong_codes_of_app * sides.length + bounds.wrong_codes_without_app;

/** Guesses codes and tells what came of it. */
export const guessCodes = async (options: GuessOptions) => {
  await using mariadb = await startMariadb();
  const url = await mariadb.createDatabase('codes');
  const db = await openMigrated(url);
  await db.close();
  const servers = sides.map(({ host, app }) => entry(host, app));
  await using first = await startCoordinatorProcess({ servers, configuration, url });
  await using second = await startCoordinatorProcess({ servers, configuration, url });
  const coordinators = [first, second];
  const opened = await Promise.all(
    coordinators.map(async (one, at) => {
      const side = sides[at] ?? sides[0];
      const { agent, invites, codes } = await openSessions(one, side);
      const beat = systemClock.every(5_000, () => void agent.heartbeat());
      const doors = invites.map((invite) => ({ port: one.port, invite }));
      return { beat, agent, doors, probed: { port: one.port, app: side.app, codes } };
    }),
  );
  const honest = joinHonestly(
    opened.flatMap(({ doors }) => doors),
    options.honest_every_ms,
  );
  const live = new Set(opened.flatMap(({ probed }) => probed.codes));
  const from = systemClock.monotonic();
  const { answers, took_ms } = await guessAll([first.port, second.port], live, options);
  const seconds = (systemClock.monotonic() - from) / 1_000;
  const compared = await compareCodes(opened.map(({ probed }) => probed));
  const visitors = await honest.stop();
  for (const { beat, agent } of opened) {
    beat();
    agent.close();
  }
  const { code_unknown: wrong = 0, entered = 0, waits = 0, codes_closed: closed = 0, ...others } = answers;
  return {
    ...options,
    codes: seats * sides.length,
    seconds: Math.round(seconds),
    per_second: Math.round(options.guesses / seconds),
    evaluated: wrong + entered,
    wrong,
    entered,
    waits,
    closed,
    others,
    budget,
    guess: percentiles(took_ms),
    compared,
    honest: visitors,
  };
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: { guesses: { type: 'string' }, addresses: { type: 'string' }, seed: { type: 'string' } },
  });
  const report = await guessCodes({
    guesses: Number(values.guesses ?? 20_000),
    addresses: Number(values.addresses ?? 500),
    seed: Number(values.seed ?? 1),
    honest_every_ms: 1_000,
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  const { wrong, entered, others, compared, honest } = report;
  const faults = Object.keys(others).length + honest.failures.length + compared.differences.length;
  process.exit(wrong > budget || entered + faults > 0 ? 1 : 0);
}
