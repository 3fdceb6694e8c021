import { expect, test } from 'bun:test';
import { systemIds } from '../../shared/ids.ts';
import { createLog } from '../../shared/log.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { optionsSchema } from '../options.ts';
import { createMemoryStore } from './memory-store.ts';
import { peerQuotas } from './quotas.ts';
import { createPeerServer } from './server.ts';
import type { PeerStore } from './store.ts';

type Message = Record<string, unknown>;

/** Everything that waits for nothing but other promises is done after this. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A server without ports, on a store whose functions a test may replace. */
const world = (
  replaced: (memory: PeerStore) => Partial<PeerStore> = () => ({}),
  options: object = {},
  memory: PeerStore = createMemoryStore(),
) => {
  const clock = fakeClock();
  const lines: Message[] = [];
  const log = createLog('test', 'silent', undefined, {
    level: 'warn',
    write: (line) => void lines.push(JSON.parse(line)),
  });
  const server = createPeerServer({
    ...{ clock, log, ids: systemIds, store: { ...memory, ...replaced(memory) } },
    rate: { per_second: 1_000, burst: 1_000 },
    broadcast_tokens: ['loud'],
    quotas: peerQuotas(optionsSchema.parse({ ...options })),
  });
  const open = (remote = '192.0.2.1') => {
    const got: Message[] = [];
    const send = (frame: string | Uint8Array) => got.push(JSON.parse(String(frame))) > 0;
    const { frame, closed } = server.connect(
      { remote, send, backlog: () => 0, close: (code) => got.push({ code }) },
      () => undefined,
    );
    const say = (command: string | Message) =>
      frame(typeof command === 'string' ? command : JSON.stringify(command));
    return { got, say, drop: () => closed(1006, '') };
  };
  const known = async (name: string) => {
    let found = false;
    await memory.change({ peers: [name] }, ({ peers }) => {
      found = peers.has(name);
      return { no: 'forbidden' };
    });
    return found;
  };
  return { clock, known, lines, memory, open, server };
};

/** Holds every call of a function until it is let go. */
const held = () => {
  const gate = Promise.withResolvers<void>();
  return { go: gate.resolve, gate: gate.promise };
};

test('createPeerServer() starts a fresh mailbox at its beginning, whatever the newcomer had elsewhere', async () => {
  const { open } = world();
  const [ann, bob] = [open(), open()];
  ann.say({ verb: 'descp', name: 'ann', secret: 'old', after: 17 });
  bob.say('/descp bob');
  await settled();
  for (const text of ['a', 'b']) bob.say(`/privmsg ann ${text}`);
  await settled();
  expect(ann.got[0]).toMatchObject({ msg: 'described', resumed: false });
  expect(ann.got.slice(1).map(({ seq, text }) => [seq, text])).toEqual([
    [1, 'a'],
    [2, 'b'],
  ]);
});

test('createPeerServer() goes on from the last event that there was when a peer says that it had more', async () => {
  const { open } = world();
  const [ann, bob, again] = [open(), open(), open()];
  ann.say('/descp ann');
  bob.say('/descp bob');
  await settled();
  bob.say('/privmsg ann a');
  await settled();
  again.say({ verb: 'descp', name: 'ann', secret: ann.got[0]?.secret, after: 17 });
  await settled();
  bob.say('/privmsg ann b');
  await settled();
  expect(again.got).toMatchObject([
    { msg: 'described', resumed: true },
    { text: 'b', seq: 2 },
  ]);
});

for (const method of ['change', 'inbox'] as const) {
  test(`createPeerServer() leaves nothing behind when the socket is lost during ${method}`, async () => {
    const { go, gate } = held();
    const { clock, known, open } = world((memory) => ({
      change: async (...given) => {
        const outcome = await memory.change(...given);
        if (method === 'change') await gate;
        return outcome;
      },
      inbox: async (...given) => {
        if (method === 'inbox') await gate;
        return memory.inbox(...given);
      },
    }));
    const ann = open();
    ann.say('/descp ann');
    await settled();
    expect(await known('ann')).toBeTrue();
    ann.drop();
    go();
    await settled();
    expect(await known('ann')).toBeFalse();
    expect(clock.pending()).toBe(1);
  });
}

test('createPeerServer() describes nobody whose socket was lost before', async () => {
  const { known, open } = world();
  const ann = open();
  ann.say('/descp ann');
  ann.drop();
  await settled();
  expect(await known('ann')).toBeFalse();
});

test('createPeerServer() keeps a peer whose socket is lost while it returns', async () => {
  let gate = Promise.resolve();
  const { clock, known, open } = world((memory) => ({
    inbox: async (...given) => {
      await gate;
      return memory.inbox(...given);
    },
  }));
  const [ann, again] = [open(), open()];
  ann.say('/descp ann');
  await settled();
  ann.drop();
  const second = held();
  gate = second.gate;
  again.say({ verb: 'descp', name: 'ann', secret: ann.got[0]?.secret });
  await settled();
  again.drop();
  second.go();
  await settled();
  expect(await known('ann')).toBeTrue();
  for (let passed = 0; passed < 75_000; passed += 5_000) {
    clock.advance(5_000);
    await settled();
  }
  expect(await known('ann')).toBeFalse();
});

test('createPeerServer() leaves a peer to the newest of two sockets that return at once', async () => {
  const gates: Promise<void>[] = [];
  const { open } = world((memory) => ({
    inbox: async (...given) => {
      await gates.shift();
      return memory.inbox(...given);
    },
  }));
  const [ann, older, newer] = [open(), open(), open()];
  ann.say('/descp ann');
  await settled();
  ann.drop();
  const { go, gate } = held();
  gates.push(gate);
  for (const socket of [older, newer]) {
    socket.say({ verb: 'descp', name: 'ann', secret: ann.got[0]?.secret });
    await settled();
  }
  go();
  await settled();
  newer.say('/privmsg ann hello');
  await settled();
  expect(older.got).toEqual([{ code: 4409 }]);
  expect(newer.got).toMatchObject([{ resumed: true }, { msg: 'ok' }, { text: 'hello' }]);
});

test('createPeerServer() answers in the order of the commands, refusals of the door as well', async () => {
  const { go, gate } = held();
  const { open } = world((memory) => ({
    change: async (...given) => {
      await gate;
      return memory.change(...given);
    },
  }));
  const ann = open();
  for (const command of ['/descp ann', '/nope', '/whois nobody', '/join']) ann.say(command);
  await settled();
  expect(ann.got).toEqual([]);
  go();
  await settled();
  expect(ann.got.map(({ msg, number }) => number ?? msg)).toEqual(['described', 421, 401, 461]);
});

test('createPeerServer() says once that mail cannot be fetched', async () => {
  const { clock, lines, open } = world(() => ({ inbox: () => Promise.reject(new Error('broken')) }));
  const ann = open();
  ann.say('/descp ann');
  await settled();
  clock.advance(5_000);
  await settled();
  expect(ann.got).toMatchObject([{ msg: 'described' }]);
  expect(lines).toMatchObject([{ msg: 'cannot fetch mail', peer: 'ann', error: { message: 'broken' } }]);
});

test('createPeerServer() takes so many new names from one network in a minute', async () => {
  const { clock, open } = world();
  const described = async (name: string, remote: string) => {
    const peer = open(remote);
    peer.say(`/descp ${name}`);
    await settled();
    peer.drop();
    return peer.got[0]?.number ?? peer.got[0]?.msg;
  };
  const first = open('2001:db8::1');
  first.say('/descp first');
  await settled();
  for (let at = 1; at < 300; at++) expect(await described(`n${at}`, `2001:db8::${at}`)).toBe('described');
  expect(await described('more', '2001:db8:0:0:9::')).toBe(429);
  expect(await described('other', '2001:db8:0:1::')).toBe('described');
  // Whoever returns is no newcomer.
  const again = open('2001:db8::1');
  again.say({ verb: 'descp', name: 'first', secret: first.got[0]?.secret });
  await settled();
  expect(again.got[0]).toMatchObject({ resumed: true });
  clock.advance(60_000);
  expect(await described('more', '2001:db8::1')).toBe('described');
});

test('createPeerServer() counts returns and refusals not as new names', async () => {
  const { open } = world();
  const first = open();
  first.say('/descp first');
  await settled();
  for (let at = 0; at < 300; at++) {
    const again = open();
    again.say(at % 2 ? '/descp first' : { verb: 'descp', name: 'first', secret: first.got[0]?.secret });
    await settled();
    again.drop();
  }
  const next = open();
  next.say('/descp next');
  await settled();
  expect(next.got[0]).toMatchObject({ msg: 'described' });
});

test('createPeerServer() lets go of everybody whose lease has run out, at once', async () => {
  const { clock, known, memory, open } = world();
  const stays = open();
  stays.say('/descp stays');
  await settled();
  for (let at = 0; at < 60; at += 5) {
    clock.advance(5_000);
    await settled();
  }
  const names = Array.from({ length: 350 }, (_, at) => `n${at}`);
  for (const name of names) {
    await memory.change({ peers: [name] }, () => ({
      peers: [{ name, seal: '', session: name, channels: [], may_broadcast: false }],
      lease: { peer: name, until: clock.now() },
      answer: { msg: 'ok', verb: 'away' },
    }));
  }
  clock.advance(5_000);
  await settled();
  expect(await memory.expired(clock.now())).toEqual([]);
  expect(await known('stays')).toBeTrue();
});

const numbers = (got: Message[]) => got.map(({ number, msg }) => number ?? msg);
const described = async (open: ReturnType<typeof world>['open'], name: string, remote?: string) => {
  const peer = open(remote);
  peer.say(`/descp ${name}`);
  await settled();
  peer.got.length = 0;
  return peer;
};

test('createPeerServer() lets one network fill neither the names nor the channels', async () => {
  const { open, server } = world(undefined, { peer_names_per_network: 3, peer_channels_per_network: 5 });
  const peers = [];
  for (const name of ['a', 'b', 'c']) peers.push(await described(open, name));
  expect([server.full('192.0.2.1'), server.full('192.0.2.2')]).toEqual([true, false]);
  const more = open();
  more.say('/descp d');
  await settled();
  expect(numbers(more.got)).toEqual([438]);
  for (let at = 0; at < 6; at++) peers[at % 3]?.say(`/join #x${at} token`);
  await settled();
  expect(peers.flatMap(({ got }) => numbers(got)).sort()).toEqual([438, ...Array(5).fill('channel_joined')]);
  const stranger = await described(open, 'e', '192.0.2.2');
  stranger.say('/join #y token');
  await settled();
  expect(numbers(stranger.got)).toEqual(['channel_joined']);
  peers[0]?.say('/quit #x0');
  peers[0]?.say('/join #z token');
  await settled();
  expect(numbers(peers[0]?.got ?? []).at(-1)).toBe('channel_joined');
});

test('createPeerServer() looks at no more tokens of a network that guessed in vain, but lets its invited in', async () => {
  const { clock, open } = world(undefined, { peer_wrong_tokens_per_minute: 3 });
  const owner = await described(open, 'owner', '192.0.2.9');
  owner.say('/join #hall right');
  const [first, second] = [await described(open, 'one'), await described(open, 'two')];
  for (const guess of ['a', 'b']) first.say(`/join #hall ${guess}`);
  await settled();
  second.say('/join #hall c');
  await settled();
  for (const word of ['d', 'right']) second.say(`/join #hall ${word}`);
  await settled();
  expect([...numbers(first.got), ...numbers(second.got)]).toEqual([475, 475, 475, 439, 439]);
  const announcer = open();
  announcer.say({ verb: 'descp', name: 'loud', broadcast_token: 'loud' });
  await settled();
  expect(numbers(announcer.got)).toEqual([439]);
  owner.say('/invite two #hall');
  await settled();
  second.say('/join #hall');
  await settled();
  expect(numbers(second.got)).toContain('channel_joined');
  const elsewhere = await described(open, 'three', '192.0.2.2');
  elsewhere.say('/join #hall right');
  await settled();
  expect(numbers(elsewhere.got)).toEqual(['channel_joined']);
  clock.advance(60_000);
  first.say('/join #hall right');
  await settled();
  expect(numbers(first.got).at(-1)).toBe('channel_joined');
});

test('createPeerServer() counts a wrong broadcast token as a wrong token', async () => {
  const { open } = world(undefined, { peer_wrong_tokens_per_minute: 2 });
  const got = [];
  for (const token of ['a', 'b', 'c', 'loud']) {
    const peer = open();
    peer.say({ verb: 'descp', name: 'x', broadcast_token: token });
    await settled();
    got.push(...numbers(peer.got));
  }
  expect(got).toEqual([481, 481, 439, 439]);
});

test('createPeerServer() bounds the joins and the commands of a network', async () => {
  const { clock, open } = world(undefined, { peer_joins_per_minute: 2, peer_commands_per_second: 1 });
  const peer = await described(open, 'ann');
  for (let at = 0; at < 3; at++) peer.say(`/join #x${at} token`);
  await settled();
  expect(numbers(peer.got)).toEqual(['channel_joined', 'channel_joined', 439]);
  // Ten seconds' worth at once: one described, three joined.
  for (let at = 0; at < 7; at++) peer.say('/whois ann');
  const other = await described(open, 'bob', '192.0.2.2');
  await settled();
  expect(numbers(peer.got).slice(3)).toEqual([...Array(6).fill('peer_info'), 439]);
  other.say('/whois ann');
  clock.advance(1_000);
  peer.say('/whois ann');
  await settled();
  expect([numbers(other.got), numbers(peer.got).at(-1)]).toEqual([['peer_info'], 'peer_info']);
});

test('createPeerServer() reads no long first frame', async () => {
  const { open } = world();
  const [short, long] = [open(), open()];
  short.say(`/descp ${'x'.repeat(4_000)}`);
  long.say(`/descp ${'x'.repeat(5_000)}`);
  await settled();
  expect([numbers(short.got), long.got]).toEqual([[461], [{ code: 1009 }]]);
});
