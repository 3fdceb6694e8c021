import { z } from 'zod';
import type { Birth } from './birth.ts';
import { appSchema } from './config.ts';
import { type Found, resume } from './domain/instance.ts';
import type { Entry, InstanceRecord, Role } from './domain/journal.ts';
import { Instance } from './instance.ts';
import { type InstanceHost, placeOf } from './launch.ts';
import { bornOf, type Identity } from './processes/identity.ts';
import { endMarked, leaderAmong, type Marked, markedProcesses } from './processes/marked.ts';
import { adoptProgram, type Program } from './processes/program.ts';
import { sleep } from './wait.ts';

/** An adopted app that runs is in signalling's list at once, or has to register again; so long is waited for it to be there. */
const SETTLE_MS = 1_500;
/** And so long for signalling to say so: what is called restarting in HELLO, and runs, costs its visitors the picture. */
const ANSWER_MS = 10_000;
const POLL_MS = 10;

/** A line that a full disk may cost: the agent after this one finds the same out again. */
const note = (entry: Entry, host: InstanceHost): Promise<void> =>
  host.journal.append(entry).catch((error: unknown) => {
    host.log.error({ error, entry: entry.is }, 'the journal cannot be written');
  });

/** The program of an earlier agent, alive or not, or undefined when it was never started. */
const programOf = async (
  record: InstanceRecord,
  role: Role,
  marked: readonly Marked[],
  host: InstanceHost,
): Promise<Program | undefined> => {
  const noted = role === 'app' ? record.app_program : record.signalling_program;
  if (noted === undefined) return undefined;
  const { instance_id } = record;
  const found = noted.process === undefined ? leaderAmong(marked, instance_id, role) : undefined;
  const known = noted.process ?? (found === undefined ? undefined : await identityOf(found));
  if (known === undefined) return undefined;
  if (noted.process === undefined) {
    await note({ is: 'started', instance_id, role, process: known }, host);
  }
  const log = host.log.child({ instance: instance_id, role });
  return adoptProgram(known, placeOf(host, instance_id, role), host.clock, log);
};

const identityOf = async (pid: number): Promise<Identity | undefined> => {
  const born = await bornOf(pid);
  return born === undefined ? undefined : { pid, born };
};

const RESTARTS_SKIPPED = 1;

const foundOf = (
  record: InstanceRecord,
  app: Program | undefined,
  signalling: Program | undefined,
  host: InstanceHost,
): Found => {
  const { ready, app_ready = ready, app_starts, order, ending } = record;
  const age = host.clock.now() - host.clock.monotonic();
  const whole = [app, signalling].every((program) => program !== undefined && program.pid > 0);
  return {
    was_ready: ready,
    app_was_ready: app_ready,
    app_restarts: app_starts.slice(RESTARTS_SKIPPED).map((at) => at - age),
    signalling: signalling !== undefined,
    app: app !== undefined,
    ...(ending === undefined ? {} : { ending }),
    // A warm instance that is not whole is worth no repair: the pool starts another.
    ...(order === undefined && !whole
      ? { ending: { reason: 'host_stopped' as const, detail: 'a warm instance that was not whole' } }
      : {}),
  };
};

const revive = async (
  record: InstanceRecord,
  marked: readonly Marked[],
  host: InstanceHost,
  changed: (instance: Instance) => void,
): Promise<Instance | undefined> => {
  const { instance_id, card, secret, created_at, keyed = false, order, bound_at, ports } = record;
  // As loose as the journal itself.
  const app = z.object(appSchema.shape).safeParse(record.app);
  if (!app.success) {
    host.log.error({ instance: instance_id }, 'the journal has an app that this version cannot read');
    return undefined;
  }
  const [app_program, signalling] = await Promise.all([
    programOf(record, 'app', marked, host),
    programOf(record, 'signalling', marked, host),
  ]);
  const birth: Birth = { instance_id, app: app.data, card, secret, created_at, keyed };
  const plan = planOf(birth);
  const found = foundOf(record, app_program, signalling, host);
  const pids = { app: app_program?.pid, signalling: signalling?.pid };
  host.log.info({ instance: instance_id, session: order?.session_id, ...pids }, 'adopted');
  const age = host.clock.now() - host.clock.monotonic();
  return new Instance(
    {
      birth,
      ...(order === undefined ? {} : { order }),
      ...(bound_at === undefined ? {} : { bound_at: bound_at - age }),
      first: resume(plan, found),
      remains: {
        ...(ports === undefined ? {} : { ports }),
        ...(app_program === undefined ? {} : { app: app_program }),
        ...(signalling === undefined ? {} : { signalling }),
      },
      room: Promise.resolve(),
      changed,
    },
    host,
  );
};

/** What the app's configuration says to the machine. */
export const planOf = ({ app }: Birth) => ({
  start_timeout_ms: app.start_timeout_seconds * 1_000,
  hung_ms: app.hung_seconds * 1_000,
  restart: { times: app.restart.times, window_ms: app.restart.window_seconds * 1_000 },
});

/**
 * Takes over what an agent that was killed, or handed over, has left: instances of the journal go on, whatever else carries
 * our mark is ended. Resolves when it is known how those that run are.
 */
export const adopt = async (
  host: InstanceHost,
  changed: (instance: Instance) => void,
): Promise<Instance[]> => {
  const records = [...host.journal.account.instances.values()];
  const marked = markedProcesses(host.mark);
  const revived = await Promise.all(records.map((record) => revive(record, marked, host, changed)));
  const instances = revived.filter((instance) => instance !== undefined);
  const known = new Set(instances.map(({ birth }) => birth.instance_id));
  const lost = records.filter(({ instance_id }) => !known.has(instance_id));
  // What cannot be revived is ended by its name too: on Windows nobody else's marks can be seen.
  const strays = new Set([
    ...lost.map(({ instance_id }) => instance_id),
    ...marked.map((one) => one.instance),
  ]);
  for (const instance of strays) {
    if (known.has(instance)) continue;
    host.log.warn({ instance }, 'processes that the journal does not explain are ended');
    await endMarked([`VITRINA_HOST=${host.mark}`, `VITRINA_INSTANCE=${instance}`], host.clock, host.log);
  }
  for (const { instance_id } of lost) await note({ is: 'ended', instance_id }, host);
  const began = host.clock.monotonic();
  const unsettled = () => {
    const waited = host.clock.monotonic() - began;
    return instances.some(
      ({ phase, observed }) => phase === 'reconnecting' && waited < (observed ? SETTLE_MS : ANSWER_MS),
    );
  };
  while (unsettled()) await sleep(host.clock, POLL_MS);
  return instances;
};
