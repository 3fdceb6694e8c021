import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { addressClass, addressList, isListed } from '../../shared/address-class.ts';
import { type Refusal, refuse } from '../../shared/errors.ts';
import { fetchVerified } from '../../shared/fetch-verified.ts';

/** Addresses of one name that are tried, one after the other. */
const addresses_most = 4;

/** What a delivery is sent with: `fetch`, or one that looks where it leads to first. */
export type Send = (url: string, request: RequestInit) => Promise<Response>;

/** The receiver's address is of this machine or its networks, and nobody has allowed that. */
export class TargetRefused extends Error {
  override readonly name = 'TargetRefused';
}

/** "[::1]" and "name." as a resolver takes them; the URL has read every notation of IPv4 already. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

/** `allowed` holds networks, addresses and host names: `webhook_private_targets`. */
const permits = (allowed: readonly string[], host: string, address: string): boolean => {
  if (addressClass(address) === 'public' || allowed.includes(host)) return true;
  const networks = allowed.filter((entry) => isIP(entry.split('/')[0] ?? '') !== 0);
  return isIP(address) !== 0 && isListed(addressList(networks), address);
};

/** Refuses a webhook's URL that leads to this machine or its networks by itself. What a name leads to is looked at when it is sent to. */
export const checkTarget = (url: string, allowed: readonly string[]): Refusal | undefined => {
  const host = hostOf(new URL(url));
  const local = isIP(host) !== 0 ? host : /^(?:.*\.)?localhost$/.test(host) ? '127.0.0.1' : undefined;
  if (local === undefined || permits(allowed, host, local)) return undefined;
  return refuse(
    'malformed',
    `url: ${host} is no public address; an operator can allow it by webhook_private_targets`,
  );
};

/** The addresses of a host name. Rejects when it has none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

const within = <T>(signal: AbortSignal | null | undefined, work: Promise<T>): Promise<T> => {
  if (signal === null || signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(signal.reason);
  signal.addEventListener('abort', give, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', give));
};

/**
 * Sends to the very address that was checked: a name that leads elsewhere a moment later changes nothing. The receiver sees
 * its own name all the same, in Host and in TLS. Rejects with TargetRefused when no address of it may be reached.
 */
export const sendToTargets =
  (allowed: () => readonly string[], resolve: Resolve = resolveBySystem): Send =>
  async (url, request) => {
    const target = new URL(url);
    const host = hostOf(target);
    const found = isIP(host) === 0 ? await within(request.signal, resolve(host)) : [host];
    const open = found.filter((address) => permits(allowed(), host, address));
    if (open.length === 0) throw new TargetRefused(`${host} leads to ${found.join(', ')}`);
    let failure: unknown;
    for (const address of open.slice(0, addresses_most)) {
      const pinned = new URL(url);
      pinned.hostname = address.includes(':') ? `[${address}]` : address;
      try {
        return await fetchVerified(pinned, {
          ...request,
          headers: { ...Object.fromEntries(new Headers(request.headers)), Host: target.host },
          // A connection that is kept was opened for one name, and would be used for others at the same address.
          keepalive: false,
          tls: isIP(host) === 0 ? { serverName: host } : {},
        });
      } catch (error) {
        failure = error;
        if (request.signal?.aborted === true) break;
      }
    }
    throw failure;
  };
