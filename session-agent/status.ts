import { z } from 'zod';
import { hostFiguresSchema } from '../shared/protocol/agent-link.ts';

const instanceSchema = z.object({
  instance_id: z.string(),
  rc_name: z.string(),
  card: z.number(),
  /** That of a session's instance, or `warming`, then `warm`: started ahead, registered, and no session has it yet. */
  phase: z.string(),
  session_id: z.string().optional(),
  /** When it was started, epoch ms. */
  since: z.number(),
  app_pid: z.number().optional(),
  signalling_pid: z.number().optional(),
  /** Restarts of the app within the policy's window. */
  restarts: z.number(),
});

/** One instance of an app on this host, with its session if it has one, as `status` shows it. */
export type InstanceStatus = z.infer<typeof instanceSchema>;

const warmSchema = z.object({
  rc_name: z.string(),
  /** The larger of config.json's word and the coordinator's. */
  wanted: z.number(),
  ready: z.number(),
  starting: z.number(),
  /** Warm starts that failed in a row, why the last one did, and when the next is tried (epoch ms). */
  failures: z.number().optional(),
  last_error: z.string().optional(),
  next_try_at: z.number().optional(),
});

/** What is kept warm of one app, as `status` shows it. */
export type WarmStatus = z.infer<typeof warmSchema>;

/** What a running agent says of itself over its control interface. Loose: the command that asks may be of another release. */
export const agentStatusSchema = z.object({
  version: z.string(),
  pid: z.number(),
  started_at: z.number(),
  /** The file that runs; the one that `update` replaces. */
  executable: z.string(),
  /** Who starts it again when it ends: "systemd", "winsw"; null when nobody does. */
  service: z.string().nullable(),
  /** Agents of 0.1.0 do not say it. */
  log_folder: z.string().optional(),
  server_name: z.string(),
  coordinator: z.string(),
  link: z.object({
    state: z.enum(['connected', 'dialling', 'waiting', 'stopped']),
    since: z.number(),
    /** Why it is not connected. */
    detail: z.string().optional(),
  }),
  seats: z.number(),
  /** What takes no new sessions, as the coordinator said last; null before it has, and where it is of an older release. */
  draining: z.object({ by: z.string().nullable(), cards: z.array(z.number()) }).nullish(),
  instances: z.array(instanceSchema),
  warm: z.array(warmSchema),
  apps: z.array(z.object({ rc_name: z.string(), problem: z.string().optional() })),
  /** As they were measured last; null before the first time. */
  figures: hostFiguresSchema.nullable(),
  config: z.object({ file: z.string(), problems: z.array(z.string()) }),
  /** The last warnings and errors of its log, the latest last; what repeats itself stands there once. */
  errors: z.array(z.object({ at: z.string(), level: z.string(), text: z.string(), times: z.number() })),
});
export type AgentStatus = z.infer<typeof agentStatusSchema>;
