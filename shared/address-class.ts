import { BlockList, isIP } from 'node:net';

/** Where an address leads: `public` to the internet, everything else to this machine, its networks, or nowhere. */
export type AddressClass =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'link_local'
  | 'multicast'
  | 'reserved';

/** The special-purpose registries of IANA (RFC 6890 and what came after). `private` holds carrier NAT (RFC 6598), too. */
const networks: readonly [AddressClass, ...string[]][] = [
  ['unspecified', '0.0.0.0/8', '::/128'],
  ['loopback', '127.0.0.0/8', '::1/128'],
  [
    'private',
    ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'],
    ...['fc00::/7', 'fec0::/10', '64:ff9b:1::/48'],
  ],
  ['link_local', '169.254.0.0/16', 'fe80::/10'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  [
    'reserved',
    ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24'],
    ...['203.0.113.0/24', '240.0.0.0/4', '2001::/23', '2001:db8::/32', '3fff::/20'],
  ],
];

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** The addresses of a list like "10.0.0.0/8", "::1" or "192.0.2.1/32". Throws when an entry is none. */
export const addressList = (entries: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const entry of entries) {
    const [network = '', bits] = entry.split('/');
    if (bits === undefined) list.addAddress(network, familyOf(network));
    else list.addSubnet(network, Number(bits), familyOf(network));
  }
  return list;
};

export const isListed = (list: BlockList, address: string): boolean => list.check(address, familyOf(address));

const classes = networks.map(([name, ...entries]) => [name, addressList(entries)] as const);
/** Only this part of IPv6 is given out for use on the internet. */
const global_unicast = addressList(['2000::/3']);

/** The eight 16-bit groups of an IPv6 address, however it is written. */
const groupsOf = (address: string): number[] => {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const numbers = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [numbers(head), numbers(tail ?? '')];
  return [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
};

/** The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056). */
const embedded = (address: string): string | undefined => {
  const groups = groupsOf(address);
  const start = (count: number) => groups.slice(0, count).join(':');
  const last = start(5) === '0:0:0:0:0' && [0, 0xffff].includes(groups[5] ?? -1);
  const nat64 = start(6) === '100:65435:0:0:0:0';
  const at = last || nat64 ? 6 : groups[0] === 0x2002 ? 1 : undefined;
  if (at === undefined) return undefined;
  const [high = 0, low = 0] = groups.slice(at, at + 2);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
};

/** The class of an IPv4 or IPv6 address. One with a zone is of one link; a text that is no address is `reserved`. */
export const addressClass = (address: string): AddressClass => {
  if (address.includes('%')) return 'link_local';
  if (isIP(address) === 0) return 'reserved';
  const own = classes.find(([, list]) => isListed(list, address))?.[0];
  if (isIP(address) === 4) return own ?? 'public';
  if (own === 'unspecified' || own === 'loopback') return own;
  const inside = embedded(address);
  if (inside !== undefined) return addressClass(inside);
  return own ?? (isListed(global_unicast, address) ? 'public' : 'reserved');
};
