import type { Clock } from '../../shared/clock.ts';
import { readIceUrl } from '../../shared/ice-server.ts';
import type { Ids } from '../../shared/ids.ts';
import { ownAddresses } from '../../shared/own-addresses.ts';
import type { AgentCheck } from '../../shared/protocol/agent-check.ts';
import {
  type Address,
  attributes,
  mixedAddress,
  otherAddress,
  requests,
  type StunMessage,
} from '../../shared/stun.ts';
import { openUdpStun, type UdpStun } from '../../shared/stun-sockets.ts';
import { isPrivate, type Mapping, type NatKind, natKind } from '../domain/nat.ts';
import { fail, type Line, ok, warn } from './line.ts';
import { addressesOf } from './reach.ts';

const DNS_MS = 2_500;
const ANSWER_MS = 2_500;
const SERVERS_MOST = 8;

interface Needs {
  clock: Clock;
  ids: Ids;
}

/** Servers that answer STUN over UDP, by their IPv4 addresses: those for STUN, and those for TURN, which do too. */
const serversOf = async (clock: Clock, { ice_servers }: AgentCheck): Promise<Address[]> => {
  const listed = ice_servers
    .flatMap(({ urls }) => urls.map(readIceUrl))
    .flatMap((read) => ('problem' in read || read.transport !== 'udp' ? [] : [read]));
  const found = await Promise.all(
    listed.slice(0, SERVERS_MOST).map(async ({ host, port }) => {
      const addresses = await addressesOf(clock, DNS_MS, host).catch(() => []);
      return addresses.filter((address) => !address.includes(':')).map((address) => ({ address, port }));
    }),
  );
  const unique = new Map(found.flat().map((server) => [`${server.address}:${server.port}`, server]));
  return [...unique.values()].slice(0, SERVERS_MOST);
};

interface Told extends Mapping {
  answer: StunMessage;
}

/** What each server says about one and the same socket of ours; those that do not answer are left out. */
const askAll = async (socket: UdpStun, servers: readonly Address[]): Promise<Told[]> => {
  const asked = servers.map(async (server): Promise<Told[]> => {
    const answer = await socket.askOf(server)(requests.binding, []);
    const mapped = mixedAddress(answer, attributes.xor_mapped_address);
    return mapped === undefined ? [] : [{ server, mapped, answer }];
  });
  const settled = await Promise.allSettled(asked);
  return settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
};

const texts: Record<Exclude<NatKind, 'blocked'>, string> = {
  open: 'no NAT',
  independent: 'a NAT that visitors get through (endpoint-independent)',
  dependent: 'a NAT that shows every peer another address (symmetric): only TURN gets through',
  unknown: 'a NAT of unknown kind: only one server could be asked',
};

const lineOf = (kind: NatKind, told: readonly Told[], has_turn: boolean): Line => {
  const [first] = told;
  if (first === undefined || kind === 'blocked') {
    return fail(
      'STUN',
      'no server answers: UDP is blocked',
      'Open outgoing UDP, all ports, in the firewalls on the way; without it only TURN over TCP or TLS is left, which is slow.',
    );
  }
  const { address } = first.mapped;
  const found = isPrivate(address)
    ? `the server is on a private network too, and sees ${address}: visitors have to be on it, or come by TURN`
    : `public address ${address}; ${texts[kind]}`;
  if (kind !== 'dependent' || has_turn) return ok('STUN', found);
  return warn(
    'STUN',
    found,
    'Set up TURN: "coordinator config coturn", then "turn" in its configuration.json.',
  );
};

/** The address by which the world sees this host, and the kind of NAT between. */
export const checkStun = async ({ clock, ids }: Needs, check: AgentCheck): Promise<Line> => {
  const servers = await serversOf(clock, check);
  if (servers.length === 0) {
    return warn(
      'STUN',
      'the coordinator names no server that can be asked: only visitors on the same network can be served',
      'Add ice_servers or turn to its configuration.json.',
    );
  }
  const socket = await openUdpStun({ clock, ids, patience_ms: ANSWER_MS });
  try {
    const told = await askAll(socket, servers);
    // One server with two addresses is as good as two servers.
    const others = told.flatMap(({ answer }) => otherAddress(answer) ?? []);
    const more = others.flatMap(({ address, port }) =>
      told.slice(0, 1).flatMap(({ server }) => [
        { address, port: server.port },
        { address, port },
      ]),
    );
    const all = [...told, ...(await askAll(socket, more.slice(0, SERVERS_MOST)))];
    const own = ownAddresses().map(({ address }) => address);
    const has_turn = check.ice_servers.some(({ urls }) => urls.some((url) => url.startsWith('turn')));
    return lineOf(natKind(all, own), all, has_turn);
  } finally {
    socket.close();
  }
};
