import { z } from 'zod';
import { toAgent } from '../../shared/protocol/agent-link.ts';
import { idSchema } from '../../shared/protocol/names.ts';
import { endReasonSchema } from '../../shared/protocol/session.ts';

/** Restarts that an instance's record remembers; a policy that allows more forgets the older ones after a crash of the agent. */
const STARTS_KEPT = 100;
/** Ended sessions that are remembered, so that a repeated or stale order for one of them launches nothing. */
const OVER_KEPT = 1_000;

// What a newer version has added is left out by an older one that takes over after it: nothing here is strict.

const orderSchema = z.object(toAgent.CREATE_SESSION.shape);

const roleSchema = z.enum(['app', 'signalling']);
export type Role = z.infer<typeof roleSchema>;
/** Every one of them. */
export const roles: readonly Role[] = roleSchema.options;

const portsSchema = z.object({ player: z.number(), streamer: z.number(), sfu: z.number() });
/** The local ports of one instance's signalling server. */
export type LocalPorts = z.infer<typeof portsSchema>;

const endingSchema = z.object({ reason: endReasonSchema, detail: z.string().optional() });
/** A process, told from a later one that was given the same number by when it was born (`bornOf`). */
const processSchema = z.object({ pid: z.number().int(), born: z.string() });
const overSchema = z.object({
  session_id: idSchema,
  generation: z.number().int(),
  reason: endReasonSchema,
});
export type Over = z.infer<typeof overSchema>;

const programSchema = z.object({ process: processSchema.optional() });

/** Everything that a later agent needs to go on with an instance. */
const recordSchema = z.object({
  instance_id: idSchema,
  /** The app's part of config.json as it was; checked again by who reads it. */
  app: z.looseObject({}),
  card: z.number().int(),
  secret: z.string(),
  /** Epoch ms, as all instants here. */
  created_at: z.number(),
  /** See `Birth`. */
  keyed: z.boolean().optional(),
  order: orderSchema.optional(),
  bound_at: z.number().optional(),
  ports: portsSchema.optional(),
  /** Its streamer has registered once. */
  ready: z.boolean(),
  /** That of the app that was started last has. */
  app_ready: z.boolean().optional(),
  app_starts: z.array(z.number()),
  /** There once its start was intended; with its process once that is known. */
  app_program: programSchema.optional(),
  signalling_program: programSchema.optional(),
  ending: endingSchema.optional(),
});
export type InstanceRecord = z.infer<typeof recordSchema>;

const of = { instance_id: idSchema };

/** One line of the journal. Each stands before, or right behind, the effect that it is about. */
export const entrySchema = z.discriminatedUnion('is', [
  z.object({
    is: z.literal('launch'),
    ...recordSchema.pick({ instance_id: true, app: true, card: true, secret: true, keyed: true, order: true })
      .shape,
    at: z.number(),
  }),
  z.object({ is: z.literal('intent'), ...of, role: roleSchema, ports: portsSchema, at: z.number() }),
  z.object({ is: z.literal('started'), ...of, role: roleSchema, process: processSchema }),
  z.object({ is: z.literal('bound'), ...of, order: orderSchema, at: z.number() }),
  z.object({ is: z.literal('ready'), ...of }),
  z.object({ is: z.literal('stopping'), ...of, ending: endingSchema }),
  z.object({ is: z.literal('ended'), ...of }),
  /** What compaction leaves of the lines before. */
  z.object({ is: z.literal('instance'), record: recordSchema }),
  z.object({ is: z.literal('over'), over: overSchema }),
]);
export type Entry = z.infer<typeof entrySchema>;

/** What the journal's lines come to. */
export interface Account {
  readonly instances: ReadonlyMap<string, InstanceRecord>;
  /** The last end of each session, oldest first. */
  readonly over: ReadonlyMap<string, Over>;
}

export const noAccount: Account = { instances: new Map(), over: new Map() };

const ended = (account: Account, over: Over): Account['over'] => {
  const rest = [...account.over].filter(([session_id]) => session_id !== over.session_id);
  return new Map([...rest, [over.session_id, over] as const].slice(-OVER_KEPT));
};

const programOf = (role: Role) => (role === 'app' ? 'app_program' : 'signalling_program');

const noted = (record: InstanceRecord, entry: Entry): InstanceRecord => {
  switch (entry.is) {
    case 'intent': {
      const noted = { ...record, ports: entry.ports, [programOf(entry.role)]: {} };
      if (entry.role === 'signalling') return noted;
      const app_starts = [...record.app_starts, entry.at].slice(-STARTS_KEPT);
      return { ...noted, app_starts, app_ready: false };
    }
    case 'started':
      return { ...record, [programOf(entry.role)]: { process: entry.process } };
    case 'bound':
      return { ...record, order: entry.order, bound_at: entry.at };
    case 'ready':
      return { ...record, ready: true, app_ready: true };
    case 'stopping':
      return { ...record, ending: entry.ending };
    default:
      return record;
  }
};

/** The account after one more line. A line about an instance that is not there says nothing. */
export const fold = (account: Account, entry: Entry): Account => {
  if (entry.is === 'over') return { ...account, over: ended(account, entry.over) };
  const instances = new Map(account.instances);
  if (entry.is === 'instance') {
    instances.set(entry.record.instance_id, entry.record);
    return { ...account, instances };
  }
  const { instance_id } = entry;
  if (entry.is === 'launch') {
    const { is, at, ...rest } = entry;
    const bound = rest.order === undefined ? {} : { bound_at: at };
    instances.set(instance_id, { ...rest, ...bound, created_at: at, ready: false, app_starts: [] });
    return { ...account, instances };
  }
  const record = instances.get(instance_id);
  if (record === undefined) return account;
  if (entry.is !== 'ended') {
    instances.set(instance_id, noted(record, entry));
    return { ...account, instances };
  }
  instances.delete(instance_id);
  const { order, ending } = record;
  if (order === undefined || ending === undefined) return { ...account, instances };
  const { session_id, generation } = order;
  return { instances, over: ended(account, { session_id, generation, reason: ending.reason }) };
};

/** The fewest lines that come to the same account. */
export const compacted = ({ instances, over }: Account): Entry[] => [
  ...[...over.values()].map((one): Entry => ({ is: 'over', over: one })),
  ...[...instances.values()].map((record): Entry => ({ is: 'instance', record })),
];
