import { isIP } from 'node:net';

/** "192.0.2.1", "192.0.2.1:443", "2001:db8::1" or "[2001:db8::1]:443", without the port; undefined when it is none of them. */
const addressIn = (entry: string): string | undefined => {
  const text = entry.trim();
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 || bare.includes('%') ? undefined : bare;
};

/**
 * Where a request comes from, when it passed through `hops` proxies that each append the address they were called from
 * to X-Forwarded-For. `socket` is the address of the last of them, or of the caller when there is none. What a caller
 * writes into the header itself stands further left and never counts. A header that is too short or holds no address
 * there did not come through the proxies: then it is the socket's address.
 */
export const callerAddress = (forwarded: string | null, socket: string, hops: number): string => {
  const entries = hops === 0 || forwarded === null ? [] : forwarded.split(',');
  return addressIn(entries.at(-hops) ?? '') ?? socket;
};
