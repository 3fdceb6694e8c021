import { rootCertificates } from 'node:tls';
import type { Clock } from '../../shared/clock.ts';
import { type IceAddress, readIceUrl } from '../../shared/ice-server.ts';
import type { Ids } from '../../shared/ids.ts';
import type { AgentCheck } from '../../shared/protocol/agent-check.ts';
import { openUdpStun, type StunNeeds, type StunSocket, streamStun } from '../../shared/stun-sockets.ts';
import { allocateRelay, type Credential, releaseRelay, type TurnRefusal } from '../../shared/turn-client.ts';
import { fail, type Line, ok, skip, warn } from './line.ts';
import { addressesOf, connectTcp, faultOf, secure, timed } from './reach.ts';

const DNS_MS = 3_000;
const CONNECT_MS = 3_000;
const ANSWER_MS = 2_500;
const WHOLE_MS = 7_500;
const SERVERS_MOST = 4;

type Transport = Exclude<IceAddress['transport'], 'dtls'>;

interface Server extends IceAddress {
  transport: Transport;
  url: string;
  credential: Credential;
}

interface Needs {
  clock: Clock;
  ids: Ids;
  /** PEM of config.json's `ca_file`: trusted besides those whom everybody trusts, as TURN may be another's server. */
  ca: string | undefined;
}

interface OpenNeeds extends StunNeeds, Pick<Needs, 'ca'> {}

const serversOf = ({ ice_servers }: AgentCheck): Server[] =>
  ice_servers.flatMap(({ urls, username = '', credential = '' }) =>
    urls.flatMap((url) => {
      const read = readIceUrl(url);
      if ('problem' in read || read.kind !== 'turn') return [];
      const { transport } = read;
      // Which browsers do not speak to TURN servers either.
      if (transport === 'dtls') return [];
      return [{ ...read, transport, url, credential: { username, password: credential } }];
    }),
  );

interface Opened extends StunSocket {
  /** Why a browser would not trust the server's certificate. */
  fault?: string | undefined;
}

const open = async (needs: OpenNeeds, server: Server): Promise<Opened> => {
  const { clock, ca } = needs;
  const { host, port, transport } = server;
  const [address = host] = await addressesOf(clock, DNS_MS, host);
  if (transport === 'udp') {
    const socket = await openUdpStun(needs, address.includes(':') ? 6 : 4);
    return { ask: socket.askOf({ address, port }), close: socket.close };
  }
  const plain = await connectTcp(clock, CONNECT_MS, address, port);
  if (transport === 'tcp') return streamStun(plain, needs);
  const trusted = ca === undefined ? undefined : [ca, ...rootCertificates];
  try {
    const { socket, fault } = await secure(clock, CONNECT_MS, plain, host, trusted);
    return { ...streamStun(socket, needs), fault };
  } catch (error) {
    plain.destroy();
    throw error;
  }
};

const nameOf = (transport: Transport): string => `TURN over ${transport.toUpperCase()}`;

const refusalAdvice = ({ error }: TurnRefusal): string => {
  switch (error) {
    case 401:
    case 441:
      return "Its static-auth-secret must be what the coordinator's secret_file holds, and both clocks must be right.";
    case 486:
    case 508:
      return 'It has no relay left: raise user-quota, total-quota or its range of ports.';
    case 403:
      return 'It forbids this address: look at its configuration.';
    default:
      return "Look at the TURN server's log.";
  }
};

const allocate = async (needs: OpenNeeds, server: Server): Promise<Line> => {
  const name = nameOf(server.transport);
  const socket = await open(needs, server);
  try {
    const relay = await allocateRelay(socket.ask, server.credential);
    if ('error' in relay) {
      return fail(name, `${server.url} refuses: ${relay.error} ${relay.text}`, refusalAdvice(relay));
    }
    // It expires by itself; giving it back is a courtesy whose answer nobody needs.
    await releaseRelay(relay).catch(() => {});
    const found = `${server.url} gave the relay ${relay.relayed.address}`;
    if (socket.fault === undefined) return ok(name, found);
    return warn(
      name,
      `${found}, but its certificate is not trusted: ${socket.fault}`,
      'Give it a certificate that browsers trust: they connect to no other. With an authority of your own, name its PEM file as "ca_file" in config.json.',
    );
  } finally {
    socket.close();
  }
};

const portAdvice = ({ host, port, transport }: Server): string =>
  `Open outgoing ${transport === 'udp' ? 'UDP' : 'TCP'} ${port} to ${host} in the firewalls on the way, and look whether the TURN server runs.`;

const tryServer = async ({ clock, ids, ca }: Needs, server: Server): Promise<Line> => {
  try {
    return await timed(clock, WHOLE_MS, () => allocate({ clock, ids, ca, patience_ms: ANSWER_MS }, server));
  } catch (error) {
    return fail(nameOf(server.transport), `${server.url}: ${faultOf(error)}`, portAdvice(server));
  }
};

const gravity = { fail: 0, warn: 1, skip: 2, ok: 3 };

/** A real relay over each transport, from each TURN server that the coordinator names; per transport the worst line. */
export const checkTurn = (needs: Needs, check: AgentCheck): Promise<Line[]> => {
  const servers = serversOf(check);
  const transports: Transport[] = ['udp', 'tcp', 'tls'];
  return Promise.all(
    transports.map(async (transport): Promise<Line> => {
      const own = servers.filter((server) => server.transport === transport).slice(0, SERVERS_MOST);
      const lines = await Promise.all(own.map((server) => tryServer(needs, server)));
      const [worst] = lines.toSorted((a, b) => gravity[a.state] - gravity[b.state]);
      if (worst !== undefined) return worst;
      if (servers.length > 0) {
        const url =
          transport === 'tls' ? 'turns:HOST:443?transport=tcp' : `turn:HOST:3478?transport=${transport}`;
        return skip(
          nameOf(transport),
          'not configured',
          `Add "${url}" to turn.urls of the coordinator for visitors behind strict firewalls.`,
        );
      }
      return transport === 'udp'
        ? warn(
            nameOf(transport),
            'no TURN server is configured: visitors behind strict NAT see no stream',
            'Set one up: "coordinator config coturn".',
          )
        : skip(nameOf(transport), 'no TURN server is configured');
    }),
  );
};
