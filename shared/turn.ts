import { createHmac } from 'node:crypto';
import type { IceServer } from './protocol/ice.ts';

interface TurnOrder {
  urls: string[];
  /** The TURN server's own secret: coturn's `static-auth-secret`. */
  secret: string;
  /** Whom the credential is for. Without a colon. */
  user: string;
  /** Epoch ms after which the TURN server lets nobody in with it. */
  expires: number;
}

/** TURN addresses with a credential of one user that expires by itself: coturn's `use-auth-secret`. */
export const turnServer = ({ urls, secret, user, expires }: TurnOrder): IceServer => {
  const username = `${Math.floor(expires / 1_000)}:${user}`;
  return { urls, username, credential: createHmac('sha1', secret).update(username).digest('base64') };
};
