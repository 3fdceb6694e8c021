import { type Clock, systemClock } from '../../shared/clock.ts';
import { refuse } from '../../shared/errors.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { AGENT_LINK_VERSION, toAgent } from '../../shared/protocol/agent-link.ts';
import type { Handlers } from '../../shared/protocol/message.ts';
import { decodeRelayFrame } from '../../shared/protocol/relay-frame.ts';
import { door, type Frame } from '../../shared/socket.ts';
import { Channels } from '../channels.ts';
import type { DialledWire } from '../dial.ts';
import { Link } from '../link.ts';

/**
 * Many hosts in one process, each with a real link and real channels, whose sessions are nothing but a signalling server that
 * counts. `bun channel-host.ts FILE`, where FILE lists the hosts as JSON. It prints the address that says what it has seen,
 * and ends with SIGTERM.
 *
 * A player says `<tag> <number>`, from 1, and is told the same way, `per_second` times; `<tag> fin <count>` is answered by
 * `<tag> fin <count>`. Every number that is not the next one is a fault, and so is another's tag.
 */
interface HostEntry {
  coordinator: string;
  server_name: string;
  key: string;
  per_second: number;
}

const clock: Clock = systemClock;
const faults: string[] = [];
/** Tags of the players that are connected. */
const open = new Set<string>();
let received = 0;
let said = 0;

interface Player {
  per_second: number;
  tag: string | undefined;
  received: number;
  said: number;
  stop: () => void;
}

const hear = (socket: Bun.ServerWebSocket<Player>, text: string): void => {
  const player = socket.data;
  const [tag = '', word, count] = text.split(' ');
  player.tag ??= tag;
  open.add(player.tag);
  if (tag !== player.tag) faults.push(`the host heard ${tag} on the connection of ${player.tag}`);
  if (word === 'fin') {
    if (Number(count) !== player.received)
      faults.push(`${tag} said ${count}, the host heard ${player.received}`);
    player.stop();
    socket.send(`${tag} fin ${player.said}`);
    return;
  }
  player.received += 1;
  received += 1;
  if (Number(word) !== player.received) {
    faults.push(`the host heard ${word} of ${tag} instead of ${player.received}`);
    player.received = Number(word);
  }
  if (player.received > 1) return;
  player.stop = clock.every(1_000 / player.per_second, () => {
    player.said += 1;
    said += 1;
    socket.send(`${tag} ${player.said}`);
  });
};

const signalling = Bun.serve<Player>({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, server) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/report') return Response.json({ faults, open: [...open], received, said });
    const per_second = Number(searchParams.get('per_second'));
    const data: Player = { per_second, tag: undefined, received: 0, said: 0, stop: () => {} };
    return server.upgrade(request, { data }) ? undefined : new Response(null, { status: 400 });
  },
  websocket: {
    idleTimeout: 0,
    message: (socket, text) => hear(socket, String(text)),
    close({ data }) {
      data.stop();
      if (data.tag !== undefined) open.delete(data.tag);
    },
  },
});

interface Live {
  session_id: string;
  generation: number;
}

interface Host {
  entry: HostEntry;
  link: Link;
  channels: Channels;
  sessions: Map<string, Live>;
}

const handlers: Handlers<typeof toAgent, Host> = {
  WELCOME: ({ heartbeat_ms, protocol = 1 }, { link }) => void link.welcomed(heartbeat_ms, protocol),
  HEARTBEAT: () => {},
  DRAINING: () => {},
  WARM: () => {},
  CREATE_SESSION({ session_id, generation, code }, { link, sessions }) {
    sessions.set(session_id, { session_id, generation });
    link.send({ verb: 'CONNECT_TO_SESSION', session_id, generation, code, ip: '127.0.0.1', port: '1' });
  },
  CONNECT_USER_TO_SESSION({ channel, session_id, user_id, resumable }, { entry, channels }) {
    const url = () => `ws://127.0.0.1:${signalling.port}/?per_second=${entry.per_second}`;
    channels.open({
      channel,
      session_id,
      user_id,
      resumable,
      kept: false,
      url,
      established: () => {},
      answered: () => {},
    });
  },
  DISCONNECT_USER: ({ session_id, user_id }, { channels }) =>
    channels.disconnectUser(session_id, user_id, refuse('forbidden')),
  END_SESSION({ session_id, generation, reason }, { link, sessions, channels }) {
    sessions.delete(session_id);
    channels.closeSession(session_id, refuse('session_ended'));
    link.send({ msg: 'SESSION_ENDED', session_id, generation, reason });
  },
};

const startHost = (entry: HostEntry): Host => {
  const sessions = new Map<string, Live>();
  const channels = new Channels({ clock, log: silentLog, relay: (frame) => host.link.relay(frame) });
  let taken: { wire: DialledWire; take: (frame: Frame) => void } | undefined;
  const link = new Link({
    url: entry.coordinator,
    key: entry.key,
    clock,
    ids: systemIds,
    log: silentLog,
    hello: () => ({
      verb: 'HELLO',
      protocol: AGENT_LINK_VERSION,
      server_name: entry.server_name,
      seats: 1,
      apps: [entry.server_name],
      sessions: [...sessions.values()].map((live) => ({ ...live, state: 'ready' as const })),
    }),
    heartbeat: () => ({}),
    frame(frame, wire) {
      if (typeof frame !== 'string') {
        const relayed = decodeRelayFrame(frame);
        if (relayed?.kind === 'data') channels.frame(relayed.channel, relayed.payload);
        if (relayed?.kind === 'close') channels.closedByPlayer(relayed.channel, relayed.code, relayed.reason);
        return;
      }
      if (taken?.wire !== wire) {
        taken = {
          wire,
          take: door({ family: toAgent, handlers, context: host, wire, clock, log: silentLog }),
        };
      }
      taken.take(frame);
    },
    lost: () => channels.linkLost(),
    awaited: () => channels.awaited(),
  });
  const host: Host = { entry, link, channels, sessions };
  link.start();
  return host;
};

const entries: HostEntry[] = await Bun.file(process.argv[2] ?? '').json();
const hosts = entries.map(startHost);

process.stdout.write(`http://127.0.0.1:${signalling.port}/report\n`);

process.on('SIGTERM', async () => {
  await Promise.all(hosts.map(({ link }) => link.stop('done')));
  await signalling.stop(true);
  process.exit(0);
});
