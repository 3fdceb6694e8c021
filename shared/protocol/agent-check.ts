import { z } from 'zod';

/**
 * What a host's `doctor` asks the coordinator: `GET /agent/check`, with the host's key. Fields may be added; a reader takes
 * no notice of those that it does not know.
 */
export const agentCheckSchema = z.object({
  /** The coordinator's release. */
  version: z.string().max(100),
  /** The versions of the agent link that it speaks. */
  protocols: z.object({ oldest: z.number().int(), newest: z.number().int() }),
  /** Its clock, epoch ms. */
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
  /** Whether an operator lets no new sessions start here. */
  draining: z.boolean(),
});
export type AgentCheck = z.infer<typeof agentCheckSchema>;
