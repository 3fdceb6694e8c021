import { setSystemTime } from 'bun:test';
import { Webhook } from 'standardwebhooks';

/** Whether the public verifier of Standard Webhooks takes a delivery that came at `now` (epoch ms), which it asks of the system. */
export const isGenuine = (headers: Headers, body: string, secret: string, now: number): boolean => {
  setSystemTime(now);
  try {
    new Webhook(secret).verify(body, headers.toJSON());
    return true;
  } catch {
    return false;
  } finally {
    setSystemTime();
  }
};
