import { randomBytes } from 'node:crypto';
import { getPriority, setPriority } from 'node:os';
import { systemClock } from '../../shared/clock.ts';
import { errors } from '../../shared/errors.ts';
import { participationSchema, sessionSchema } from '../../shared/protocol/http.ts';
import { type Cutter, startCutter } from '../../shared/testing/cutter.ts';
import { seeded } from '../../shared/testing/random.ts';
import { startCoordinatorProcess } from './coordinator-process.ts';
import { type CutHosts, startCutHosts } from './cut-hosts.ts';
import { type CutPage, startCutPage } from './cut-page.ts';

/** `bun run chaos:channels`: promise P7. Hosts, coordinator and pages are real, and so are the sockets that are cut. */
export interface CutOptions {
  seed: number;
  /** Hosts with one session each, and how many of them talk fast: those pass the bound of a channel in longer cuts. */
  sessions: number;
  fast: number;
  per_second: number;
  fast_per_second: number;
  /** For how long cuts begin, and the longest one, in seconds. */
  seconds: number;
  longest_seconds: number;
}

export interface CutReport {
  sessions: number;
  cuts: number;
  link_cuts: number;
  page_cuts: number;
  silent_cuts: number;
  /** Cuts after which the channel went on, and those that ended it. */
  resumed: number;
  ended: number;
  messages: number;
  longest_resumed_seconds: number;
  faults: string[];
}

interface Unit {
  name: string;
  per_second: number;
  link: Cutter;
  leg: Cutter;
  page: CutPage;
}

/** A cut of so long or less is mended, and one of at least so long ends the channel. Between them it may be either. */
const mended_ms = 60_000;
const ended_ms = 67_000;
/** What it takes them to find each other afterwards; messages wait for so much longer. */
const reunion_ms = 6_000;
/** How long a host and a page may take to find each other again. */
const patience_ms = 120_000;
/** Messages that may wait at one end; see `channel-state.ts`. */
const most_waiting = 256;

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<string | undefined> => {
  const deadline = systemClock.monotonic() + patience_ms;
  while (!(await holds())) {
    if (systemClock.monotonic() > deadline) return `not within ${patience_ms} ms: ${what}`;
    await new Promise<void>((resolve) => systemClock.after(50, resolve));
  }
  return undefined;
};

/** A ready session of the unit's own app. */
const startSession = async (url: string, app: string) => {
  const ask = (method: string, path: string, body?: object, token?: string) =>
    fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  let made: Response | undefined;
  const refused = await until(`a session of ${app}`, async () => {
    made = await ask('POST', '/sessions', { app });
    return made.status === 201;
  });
  if (refused !== undefined || made === undefined) throw new Error(refused);
  const { session, participant_token: token } = participationSchema.parse(await made.json());
  const late = await until(`${app} is ready`, async () => {
    const answer = await ask('GET', `/sessions/${session.id}`, undefined, token);
    return sessionSchema.parse(await answer.json()).phase === 'ready';
  });
  if (late !== undefined) throw new Error(late);
  return { session_id: session.id, token };
};

interface Cut {
  where: 'link' | 'leg';
  how: 'hard' | 'silent';
  ms: number;
}

/** What must come of a cut. A silent one is noticed late, so it may last longer. */
const outcomeOf = ({ how, ms }: Cut, per_second: number): 'resumed' | 'ended' | 'either' => {
  const waiting = (ms / 1_000) * per_second;
  if (waiting > most_waiting * 1.2 || (ms >= ended_ms && how === 'hard')) return 'ended';
  const at_most = ((ms + reunion_ms) / 1_000) * per_second;
  return ms <= mended_ms && at_most < most_waiting ? 'resumed' : 'either';
};

/** Cuts, and says what came of it; a fault when it is not what had to. */
const carryOut = async (unit: Unit, cut: Cut, report: CutReport): Promise<void> => {
  const { page } = unit;
  const life = page.lives();
  const text = `${unit.name}: ${cut.how} cut of the ${cut.where}, ${Math.round(cut.ms)} ms`;
  const outcome = outcomeOf(cut, unit.per_second);
  await unit[cut.where].cutFor(cut.how, cut.ms);
  const heard = page.received();
  const silent = await until(`${text}: the channel goes on`, () =>
    outcome === 'ended'
      ? page.lives() > life && page.received() > 0
      : page.lives() > life || page.received() > heard + 2,
  );
  if (silent !== undefined) report.faults.push(silent);
  report.cuts += 1;
  report[cut.where === 'link' ? 'link_cuts' : 'page_cuts'] += 1;
  if (cut.how === 'silent') report.silent_cuts += 1;
  const went_on = page.lives() === life;
  report[went_on ? 'resumed' : 'ended'] += 1;
  if (went_on) report.longest_resumed_seconds = Math.max(report.longest_resumed_seconds, cut.ms / 1_000);
  if (!went_on && outcome === 'resumed') report.faults.push(`${text}: the channel was lost`);
  const code = page.ended[`${unit.name}.${life}`];
  if (!went_on && code !== errors.channel_lost.close) report.faults.push(`${text}: ended with ${code}`);
};

/** One cut after the other: the first ones are of every length up to the longest, and three of four are the link's. */
const cutAll = async (unit: Unit, index: number, options: CutOptions, report: CutReport): Promise<void> => {
  const random = seeded(options.seed * 1_000 + index);
  const began = systemClock.monotonic();
  const left = () => options.seconds * 1_000 - (systemClock.monotonic() - began);
  const first = await until(`${unit.name}: the first message`, () => unit.page.received() > 0);
  if (first !== undefined) report.faults.push(first);
  const spread = (index + 0.5) / options.sessions;
  const howOf = (ms: number) => (random.below(6) === 0 && ms < mended_ms ? 'silent' : 'hard');
  const ms = 100 + spread ** 1.5 * (options.longest_seconds * 1_000 - 100);
  await carryOut(unit, { where: index % 4 === 3 ? 'leg' : 'link', how: howOf(ms), ms }, report);
  while (left() > 2_000) {
    const next = 100 + random.below(Math.min(20_000, left()));
    await carryOut(unit, { where: random.pick(['leg', 'link']), how: howOf(next), ms: next }, report);
  }
};

const startUnit = async (
  port: number,
  { name, per_second, link }: Pick<Unit, 'name' | 'per_second' | 'link'>,
): Promise<Unit> => {
  const leg = await startCutter(port);
  const session = await startSession(`http://127.0.0.1:${port}`, name);
  const base = `http://127.0.0.1:${leg.port}`;
  return { name, per_second, link, leg, page: startCutPage({ name, base, per_second, ...session }) };
};

/** Both sides count what came; a channel that the page was told is over is over on the host, too. */
const settle = async (units: Unit[], hosts: CutHosts, report: CutReport): Promise<void> => {
  await Promise.all(
    units.map(async ({ name, page }) => {
      let done = false;
      void page.finish().then(() => {
        done = true;
      });
      const late = await until(`${name}: both sides have said how much they sent`, () => done);
      if (late !== undefined) report.faults.push(late);
    }),
  );
  const ended = units.flatMap(({ page }) => Object.keys(page.ended));
  // An end that could not be told ends by itself when its time is over.
  const untold = await until('the hosts know of every channel that has ended', async () => {
    const { open } = await hosts.report();
    return ended.every((tag) => !open.includes(tag));
  });
  if (untold !== undefined) report.faults.push(untold);
  const { faults, received, said } = await hosts.report();
  report.messages = received + said;
  report.faults.push(...faults, ...units.flatMap(({ page }) => page.faults));
};

/** The units' names and keys, and how fast each talks: the fast ones are spread over all lengths of cuts. */
const planUnits = ({ sessions, fast, per_second, fast_per_second }: CutOptions) => {
  const fastBefore = (index: number) => Math.floor((index * fast) / sessions);
  return Array.from({ length: sessions }, (_, index) => ({
    name: `u${index}`,
    key: randomBytes(24).toString('base64url'),
    per_second: fastBefore(index + 1) > fastBefore(index) ? fast_per_second : per_second,
  }));
};

/** Nothing ends here but by a cut. */
const startPatientCoordinator = (units: ReturnType<typeof planUnits>) =>
  startCoordinatorProcess({
    servers: units.map(({ name, key }) => ({
      server_name: name,
      ip: '127.0.0.1',
      port: '1',
      key,
      rc_info: { rc_name: name, info: { description: [] } },
    })),
    configuration: {
      requests_per_second: 10_000,
      requests_burst: 100_000,
      starts_per_minute: 100_000,
      connections_per_address: 20_000,
      leave_grace_seconds: 120,
      first_join_seconds: 3_600,
    },
  });

const emptyReport = (sessions: number): CutReport => ({
  sessions,
  cuts: 0,
  link_cuts: 0,
  page_cuts: 0,
  silent_cuts: 0,
  resumed: 0,
  ended: 0,
  messages: 0,
  longest_resumed_seconds: 0,
  faults: [],
});

/** Above what a machine does besides, as root may say: what is promised here is said in seconds. */
const urgent_nice = -10;

/** Goes before others, as all do that are started from now on, until the function returned is called. Without root it does not. */
const goFirst = (): (() => void) => {
  const before = getPriority();
  if (process.getuid?.() !== 0) return () => {};
  setPriority(urgent_nice);
  return () => setPriority(before);
};

const cutThem = async (options: CutOptions): Promise<CutReport> => {
  const report = emptyReport(options.sessions);
  const wishes = planUnits(options);
  await using coordinator = await startPatientCoordinator(wishes);
  const plans = await Promise.all(
    wishes.map(async (wish) => ({ ...wish, link: await startCutter(coordinator.port) })),
  );
  const hosts = await startCutHosts(
    plans.map(({ name, key, per_second, link }) => ({
      coordinator: `ws://127.0.0.1:${link.port}/agent`,
      server_name: name,
      key,
      per_second,
    })),
  );
  const units: Unit[] = [];
  try {
    units.push(...(await Promise.all(plans.map((plan) => startUnit(coordinator.port, plan)))));
    await Promise.all(units.map((unit, index) => cutAll(unit, index, options, report)));
    await settle(units, hosts, report);
  } finally {
    await hosts.stop();
    const cutters = [...plans.map(({ link }) => link), ...units.map(({ leg }) => leg)];
    await Promise.all(cutters.map((cutter) => cutter.stop()));
  }
  return report;
};

/** Starts everything, cuts, and counts what came. */
export const runCuts = async (options: CutOptions): Promise<CutReport> => {
  const yieldAgain = goFirst();
  try {
    return await cutThem(options);
  } finally {
    yieldAgain();
  }
};

if (import.meta.main) {
  const given = (name: string, otherwise: number): number => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? otherwise : Number(process.argv[at + 1]);
  };
  const report = await runCuts({
    seed: given('seed', 1),
    sessions: given('sessions', 200),
    fast: given('fast', 20),
    per_second: given('rate', 3),
    fast_per_second: given('fast-rate', 50),
    seconds: given('seconds', 150),
    longest_seconds: given('longest', 90),
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exit(report.faults.length === 0 ? 0 : 1);
}
