import type { Address } from '../../shared/stun.ts';

/**
 * How the world sees this host's UDP. `open`: by its own address. `independent`: a NAT that gives one socket one outside
 * address, so that peers can be told it. `dependent`: another one for each peer (symmetric), which only TURN gets through.
 * `unknown`: a NAT, and only one server to ask. `blocked`: nothing answers.
 */
export type NatKind = 'open' | 'independent' | 'dependent' | 'unknown' | 'blocked';

/** Of a network of one's own: nobody outside reaches it. */
export const isPrivate = (address: string): boolean =>
  /^(10|127)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(
    address,
  );

/** What one socket was told about itself by a server. */
export interface Mapping {
  server: Address;
  mapped: Address;
}

/** From what different servers told one and the same socket; `own` are the addresses of this machine. */
export const natKind = (mappings: readonly Mapping[], own: readonly string[]): NatKind => {
  const [first, ...others] = mappings;
  if (first === undefined) return 'blocked';
  const differs = others.some(
    ({ mapped }) => mapped.address !== first.mapped.address || mapped.port !== first.mapped.port,
  );
  if (differs) return 'dependent';
  if (own.includes(first.mapped.address)) return 'open';
  return others.some(({ server }) => server.address !== first.server.address) ? 'independent' : 'unknown';
};
