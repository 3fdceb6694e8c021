import { z } from 'zod';
import { drainingSchema } from './agent-link.ts';

/**
 * What a host's `doctor` asks the coordinator: `GET /agent/check`, with the host's key. Fields may be added; a reader takes
 * no notice of those that it does not know.
 */
export const agentCheckSchema = z.object({
  /** The coordinator's release. */
  version: z.string().max(100),
  /** The versions of the agent link that it speaks. */
  protocols: z.object({ oldest: z.number().int(), newest: z.number().int() }),
  /** Its clock, ms since 1970: agents of releases before read a number, and this is no part of the REST interface under `/api/v1`. */
  time: z.number(),
  /** What a session's app would be given, with TURN credentials of this host's own that expire in minutes. */
  ice_servers: z
    .array(
      z.object({
        urls: z.array(z.string().max(1_000)).max(100),
        username: z.string().optional(),
        credential: z.string().optional(),
      }),
    )
    .max(100),
  /** Whether an agent of this host is connected now. */
  connected: z.boolean(),
  /** Whether no new sessions start here. */
  draining: z.boolean(),
  /** By whose word; releases before do not say it. */
  drained_by: drainingSchema.shape.by.optional(),
});
export type AgentCheck = z.infer<typeof agentCheckSchema>;

/** What a host's `drain` and `undrain` say: `POST /agent/draining`, with the host's key. Fields may be added. */
export const drainOrderSchema = z.object({ draining: z.boolean() });

/** What of the host takes nothing new afterwards: an operator's word stands above that of the host. */
export const drainedSchema = z.object({ draining: z.object(drainingSchema.shape) });
