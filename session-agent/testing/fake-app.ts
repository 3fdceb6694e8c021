/**
 * A streamer without media, as a process of its own: it registers like Unreal, offers to each player that subscribes (its
 * ICE servers stand for a description), and misbehaves on demand:
 *   -Exit=N            say goodbye and exit with that code at once
 *   -Silent            never connect
 *   -Once=FILE         never connect when that file is there, which this run leaves
 *   -After=FILE        connect when that file is there
 *   -CrashAfter=MS     exit with code 9 so long after registering
 *   -Stubborn          ignore SIGTERM, and start a child in a group of its own that ignores it, too
 *   -Polite            say goodbye at Ctrl-Break, as Windows asks
 *   -Parent            start a child in a group of its own, with this program's name and -Orphan
 *   -Grow=MS           take 200 MB of memory so long after registering
 *   -DropAfter=MS      so long after registering, give the streamer connection up but go on running
 *   -AwayAfter=MS      so long after registering, be away for a second and a half, once
 *   -Drop              when a player subscribes, give the streamer connection up but go on running
 *   -Age=4.27, -Age=5.0  speak as the plugin of that engine: no protocol version, ids as integers, a close (4001) on every message
 *                      that it does not know; 4.27 makes no offer and answers those of pages
 */
import { existsSync, writeFileSync } from 'node:fs';
import { hearBreak } from '../../shared/hear-break.ts';

const flags = new Map(
  process.argv.slice(2).map((argument): [string, string] => {
    const [name = '', ...value] = argument.split('=');
    return [name.toLowerCase(), value.join('=')];
  }),
);
const say = (msg: string, facts: object = {}) =>
  process.stdout.write(`${JSON.stringify({ msg, ...facts })}\n`);

say('arguments', { arguments: process.argv.slice(2), environment: Object.keys(process.env) });

hearBreak();

const exit = flags.get('-exit');
if (exit !== undefined) {
  say('the licence server said no');
  process.exit(Number(exit));
}

if (flags.has('-stubborn')) {
  process.on('SIGTERM', () => say('not listening'));
  const child = Bun.spawn(['/bin/sh', '-c', 'trap "" TERM; while true; do sleep 1; done'], {
    detached: true,
  });
  say('grandchild', { pid: child.pid });
}

if (flags.has('-polite')) {
  process.on('SIGBREAK', () => {
    say('goodbye');
    process.exit(0);
  });
}

if (flags.has('-parent')) Bun.spawn([process.execPath, '-Orphan'], { detached: true, windowsHide: true });

const ballast: Buffer[] = [];
const soon = (flag: string, run: () => void) => {
  const ms = flags.get(flag);
  flags.delete(flag === '-awayafter' ? flag : '');
  if (ms !== undefined) setTimeout(run, Number(ms));
};

const age = flags.get('-age');
const known_427 = ['identify', 'config', 'offer', 'answer', 'iceCandidate', 'playerDisconnected', 'pong'];
const known: Record<string, string[]> = { '4.27': known_427, '5.0': [...known_427, 'playerConnected'] };

/** On Wine nobody hears that a port is closed: who was not let in by then dials again. */
const connect_ms = 300;

const connect = (url: string) => {
  const socket = new WebSocket(url);
  const overdue = setTimeout(() => {
    socket.onclose = null;
    socket.close();
    connect(url);
  }, connect_ms);
  socket.onopen = () => clearTimeout(overdue);
  const send = (message: object) => socket.send(JSON.stringify(message));
  let dropped = false;
  let ice_servers: unknown;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data));
    const unsupported = age !== undefined && known[age]?.includes(message.type) !== true;
    if (unsupported) {
      say('unsupported', { type: message.type });
      return socket.close(4001, `Unsupported message received: ${message.type}`);
    }
    if (age !== undefined && message.playerId !== undefined) message.playerId = Number(message.playerId);
    switch (message.type) {
      case 'config':
        ice_servers = message.peerConnectionOptions.iceServers;
        return;
      case 'identify':
        return send({
          type: 'endpointId',
          id: flags.get('-pixelstreamingid'),
          ...(age === undefined ? { protocolVersion: '1.1.0' } : {}),
        });
      case 'endpointIdConfirm': {
        say('registered', { id: message.committedId, time: Date.now() });
        const crash = flags.get('-crashafter');
        if (crash !== undefined) setTimeout(() => process.exit(9), Number(crash));
        soon('-grow', () => ballast.push(Buffer.alloc(200 * 1024 * 1024, 1)));
        soon('-dropafter', () => {
          dropped = true;
          socket.close();
        });
        soon('-awayafter', () => {
          dropped = true;
          socket.close();
          setTimeout(() => connect(url), 1_500);
        });
        return;
      }
      case 'playerConnected':
        if (flags.has('-drop')) {
          dropped = true;
          return socket.close();
        }
        return send({ type: 'offer', sdp: JSON.stringify({ ice_servers }), playerId: message.playerId });
      case 'offer':
        return send({
          type: 'answer',
          sdp: JSON.stringify({ ice_servers, offer: message.sdp }),
          playerId: message.playerId,
        });
      case 'answer':
        return send({
          type: 'iceCandidate',
          playerId: message.playerId,
          candidate: { candidate: message.sdp, sdpMid: '0', sdpMLineIndex: 0 },
        });
    }
  };
  socket.onclose = () => {
    clearTimeout(overdue);
    if (!dropped) setTimeout(() => connect(url), 20);
  };
};

const url = flags.get('-pixelstreamingurl');
const once = flags.get('-once');
const late = once !== undefined && existsSync(once);
if (once !== undefined) writeFileSync(once, '');
const after = flags.get('-after');
if (after !== undefined && url !== undefined) {
  // Looks by itself: a watch tells of changes only, and the file may be there before the watch is.
  const looking = setInterval(() => {
    if (!existsSync(after)) return;
    clearInterval(looking);
    connect(url);
  }, 10);
} else if (url !== undefined && !flags.has('-silent') && !late) connect(url);
// Runs on without a connection, as an app does that hangs while it starts.
setInterval(() => {}, 1_000);
