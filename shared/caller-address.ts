import { isIP } from 'node:net';

/** One spelling for each address: `::` where it belongs, small letters, and IPv4 inside IPv6 as IPv4. */
const canonical = (address: string): string => {
  if (isIP(address) !== 6 || address.includes('%')) return address;
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(groups) ?? [];
  if (high === undefined || low === undefined) return groups;
  return [high, low]
    .map((text) => Number.parseInt(text, 16))
    .map((group) => `${group >> 8}.${group & 255}`)
    .join('.');
};

/**
 * "192.0.2.1", "192.0.2.1:443", "2001:db8::1" or "[2001:db8::1]:443", quoted or not, without the port; undefined when it is
 * none of them. A zone (`%eth0`) has a meaning on the machine of the proxy only.
 */
const addressIn = (entry: string): string | undefined => {
  const text = entry.trim().replace(/^"(.*)"$/, '$1');
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 || bare.includes('%') ? undefined : canonical(bare);
};

/**
 * Where a request comes from, when it passed through `hops` proxies that each append the address they were called from
 * to X-Forwarded-For. `socket` is the address of the last of them, or of the caller when there is none. What a caller
 * writes into the header itself stands further left and never counts. A header that is too short or holds no address
 * there did not come through the proxies: then it is the socket's address. `Forwarded` (RFC 7239) is not believed: a proxy
 * that does not know it passes on what the caller wrote.
 */
export const callerAddress = (forwarded: string | null, socket: string, hops: number): string => {
  const entries = hops === 0 || forwarded === null ? [] : forwarded.split(',');
  return addressIn(entries.at(-hops) ?? '') ?? canonical(socket);
};
