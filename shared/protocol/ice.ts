import { z } from 'zod';

/**
 * One ICE server as `RTCPeerConnection` takes it. `urls` is always an array: Epic's page iterates over it, and an older
 * Unreal plugin asserts on the singular `url`.
 */
export const iceServerSchema = z.strictObject({
  urls: z
    .array(z.string().regex(/^(stun|stuns|turn|turns):/, 'starts with stun:, stuns:, turn: or turns:'))
    .min(1),
  username: z.string().optional(),
  credential: z.string().optional(),
});
export type IceServer = z.infer<typeof iceServerSchema>;
