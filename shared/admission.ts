import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { iceServerSchema } from './protocol/ice.ts';
import { channelNameSchema, idSchema } from './protocol/names.ts';

/**
 * What the agent vouches for when it opens a local player socket: who it is for and the ICE servers that its `config`
 * carries. Signed under a secret that agent and signalling process share for one session only.
 */
const admissionSchema = z.strictObject({
  participant: idSchema,
  ice_servers: z.array(iceServerSchema),
  /** May watch but not steer: no data channel is opened to this player. */
  view_only: z.boolean().optional(),
  /** From now on the streamers' `config` carries these; those that are connected are told at once. */
  streamer_ice_servers: z.array(iceServerSchema).optional(),
  /**
   * The page's name for this player: its socket carries a numbered channel (`player-channel.ts`), and who comes again with the
   * same name is taken back. Without it the socket carries text and the player goes with it.
   */
  resumable: channelNameSchema.optional(),
  /** This participant has been sent away: its players end, those that wait for their page, too. */
  dismissed: idSchema.optional(),
  /** Epoch ms after which the token opens nothing. */
  expires: z.number().int(),
});
export type Admission = z.infer<typeof admissionSchema>;

const sign = (body: string, secret: string): string =>
  createHmac('sha256', secret).update(body).digest('base64url');

/** A URL-safe token: base64url(JSON) "." base64url(HMAC-SHA256). */
export const signAdmission = (admission: Admission, secret: string): string => {
  const body = Buffer.from(JSON.stringify(admission)).toString('base64url');
  return `${body}.${sign(body, secret)}`;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What the streamer of a session shows at signalling's door, in letters that no command line takes for anything else. */
export const streamerToken = (secret: string): string =>
  createHmac('sha256', secret).update('streamer').digest('hex');

/** The admission, or undefined when the token is malformed, altered, signed by another secret, or expired. */
export const verifyAdmission = (token: string, secret: string, now: number): Admission | undefined => {
  const [body, mac, more] = token.split('.');
  if (body === undefined || mac === undefined || more !== undefined) return undefined;
  // The texts are compared, not the bytes: base64url has several spellings of the same bytes.
  const given = Buffer.from(mac);
  const right = Buffer.from(sign(body, secret));
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  const parsed = admissionSchema.safeParse(parseJson(Buffer.from(body, 'base64url').toString()));
  return parsed.success && parsed.data.expires > now ? parsed.data : undefined;
};
