import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Cancel, systemClock } from '../shared/clock.ts';
import { oddValues, randomMutation, structuralMutations } from '../shared/testing/mutation.ts';
import { type Random, seeded } from '../shared/testing/random.ts';
import { samples } from '../shared/testing/samples.ts';
import type { Role } from './http/gate.ts';
import { arena } from './testing/arena.ts';
import { broken } from './testing/invariants.ts';
import { connect } from './testing/live.ts';
import { type Inside, type Running, running } from './testing/program.ts';
import { quietPair } from './testing/quiet.ts';
import { frame, type Raw, raw, rawSocket, upgradeRequest } from './testing/raw.ts';
import { badFrames, badHandshakes, forgivenHandshakes } from './testing/violations.ts';

const seed = Number(process.env.HOSTILE_SEED ?? Math.floor(Math.random() * 2 ** 32));
process.stdout.write(`HOSTILE_SEED=${seed}\n`);

/** Bytes that a running server may keep after an attack: compiled code and caches, nothing that grows with it. */
const kept_bytes = 8 * 1024 * 1024;
const stall_ms = 200;
/** On a busy machine any turn may take long, whatever it does; a turn that its input makes long is long each time. */
const attempts = 10;
/** Messages on one socket before the next: beyond the budget of bad ones. */
const batch = 30;

const roles: readonly [Role, ...Role[]] = ['player', 'streamer', 'sfu'];
const messages = (role: Role) => Object.values<Record<string, unknown>>(samples[role]);

/** A message of the role, half of them to somebody who is there. */
const draw = (role: Role, random: Random, id: () => string): Record<string, unknown> => {
  const all = messages(role);
  const message = all[random.below(all.length)] ?? {};
  return 'playerId' in message && random.below(2) === 0 ? { ...message, playerId: id() } : message;
};

test('structuralMutations() bends every message in forty ways and more', () => {
  for (const role of roles) {
    for (const message of messages(role)) {
      expect(new Set(structuralMutations(message)).size).toBeGreaterThanOrEqual(40 + oddValues.length);
    }
  }
});

test('arena() survives every structural mutation of every message of every role', async () => {
  const { frame, problems, signalling, closeAll } = await arena();
  for (const role of roles) {
    for (const text of messages(role).flatMap(structuralMutations)) {
      frame('streamer', 0, '{"type":"ping"}');
      frame(role, 1, text);
    }
    expect(broken(signalling.registry)).toEqual([]);
  }
  closeAll();
  expect(problems).toEqual([]);
  expect(signalling.connections()).toBe(0);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('arena() survives 100,000 random mutations', async () => {
  for (const args of [[], ['--legacy_auto_subscribe', '--max_players', '2']]) {
    const random = seeded(seed);
    const { frame, problems, signalling, closeAll, id, opened } = await arena(args);
    for (let count = 0; count < 50_000; count++) {
      const role = random.pick(roles);
      const message = draw(role, random, () => id(random.pick(['player', 'sfu']), random.below(3)));
      frame(role, random.below(3), randomMutation(message, random));
      if (count % 1_000 === 0) expect(broken(signalling.registry)).toEqual([]);
    }
    expect(opened()).toBeGreaterThan(100);
    closeAll();
    expect(problems).toEqual([]);
    expect(signalling.connections()).toBe(0);
    expect(signalling.registry.players.size + signalling.registry.streamers.size).toBe(0);
    expect(signalling.registry.names.size).toBe(0);
  }
});

/** Sends a batch on a socket of its own, and waits for the answer to a ping behind it or for the close. */
const assault = async (server: Running, role: Role, frames: (string | Uint8Array<ArrayBuffer>)[]) => {
  const client = await connect(server.url(role));
  for (const each of ['{"type":"endpointId","id":"Foo"}', ...frames]) client.send(each);
  const end = '{"type":"pong","time":-7}';
  client.send({ type: 'ping', time: -7 });
  const answered = (async () => {
    while ((await client.text()) !== end);
  })();
  await Promise.race([answered, client.closed]);
  answered.catch(() => undefined);
  client.close();
};

/** The longest turn of the server's event loop that an attack causes: attacks with a long one are repeated. */
const longestTurn = async (server: Running, attack: () => Promise<void>): Promise<number> => {
  let longest = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts && longest > stall_ms; attempt++) {
    await attack();
    longest = Math.min(longest, (await server.inside()).longest_turn_ms);
  }
  return longest;
};

const batches = <T>(all: T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / batch) }, (_, at) => all.slice(at * batch, (at + 1) * batch));

const status = (client: Raw): string => client.received().toString('latin1').slice(0, 12);

/** Whether the server still answers on the socket. */
const answers = async (client: Raw): Promise<boolean> => {
  client.write(frame('{"type":"ping","time":-7}'));
  while (client.open && !client.received().includes('"time":-7')) {
    await client.until(client.received().length + 1);
  }
  return client.open;
};

/** Connections that begin and never get anywhere; a byte each quarter of a second where there is one to send. */
const begin = async ({ ports }: Running): Promise<{ clients: Raw[]; stop: Cancel }> => {
  const silent = await raw(ports.player);
  const slow = await raw(ports.streamer);
  const slowFrame = await rawSocket(ports.sfu);
  const halfClosed = await rawSocket(ports.player);
  const deaf = await rawSocket(ports.streamer);
  halfClosed.socket.end();
  const [request, message] = [upgradeRequest(), frame('x'.repeat(1_000))];
  let at = 0;
  const stop = systemClock.every(250, () => {
    // The request's last bytes are never sent.
    slow.write(request.slice(0, -4).charAt(at));
    slowFrame.write(message.subarray(at, ++at));
  });
  return { clients: [silent, slow, slowFrame, halfClosed, deaf], stop };
};

describe('running() under attack', () => {
  let unfinished: Raw[] = [];
  let stopDripping: Cancel = () => {};
  let server: Running;
  let quiet: Awaited<ReturnType<typeof quietPair>>;
  let before: Inside;

  beforeAll(async () => {
    server = await running('--keepalive_seconds', '5', '--log_level_console', 'info');
    quiet = await quietPair(server);
    // Code is compiled and caches are filled by a first, small attack.
    for (const role of roles)
      await assault(
        server,
        role,
        messages(role).map((each) => JSON.stringify(each)),
      );
    before = await server.inside();
    const { clients, stop } = await begin(server);
    unfinished = clients;
    stopDripping = stop;
  });
  afterAll(async () => {
    stopDripping();
    await server[Symbol.asyncDispose]();
  });

  test('structuralMutations() over real sockets end nothing and stall nothing', async () => {
    for (const role of roles) {
      for (const message of messages(role)) {
        const longest = await longestTurn(server, async () => {
          for (const frames of batches(structuralMutations(message))) await assault(server, role, frames);
        });
        expect({ role, type: message.type, stalls: longest > stall_ms }).toEqual({
          role,
          type: message.type,
          stalls: false,
        });
      }
    }
    expect(server.exit()).toBeNull();
  });

  test('randomMutation() over real sockets, ten thousand times, ends nothing and stalls nothing', async () => {
    for (let part = 0; part < 20; part++) {
      const longest = await longestTurn(server, async () => {
        const random = seeded(seed + part);
        const role = random.pick(roles);
        const id = () => String(random.below(500));
        const frames = Array.from({ length: 500 }, () => randomMutation(draw(role, random, id), random));
        for (const some of batches(frames)) await assault(server, role, some);
      });
      expect(longest).toBeLessThanOrEqual(stall_ms);
    }
    expect(server.exit()).toBeNull();
  });

  for (const { name, bytes } of badHandshakes) {
    test(`badHandshakes() become no WebSocket: ${name}`, async () => {
      for (const role of roles) {
        const client = await raw(server.ports[role]);
        client.write(bytes);
        await client.until(12);
        expect(status(client)).toMatch(/^(HTTP\/1.1 [45]\d\d)?$/);
        client.socket.destroy();
      }
    });
  }

  for (const { name, bytes } of forgivenHandshakes) {
    test(`forgivenHandshakes() become an ordinary WebSocket: ${name}`, async () => {
      const client = await rawSocket(server.ports.player, bytes);
      expect(await answers(client)).toBeTrue();
      client.socket.destroy();
    });
  }

  for (const { name, bytes } of badFrames) {
    test(`badFrames() end the connection: ${name}`, async () => {
      for (const role of roles) {
        const client = await rawSocket(server.ports[role]);
        client.write(bytes);
        await client.ended;
        expect(client.received().includes('"pong"')).toBeFalse();
        client.socket.destroy();
      }
    });
  }

  test('frame() byte by byte and in fragments between control frames is taken', async () => {
    const client = await rawSocket(server.ports.player);
    const text = '{"type":"ping","time":5}';
    for (const byte of frame(text)) client.write(Buffer.from([byte]));
    for (const [at, character] of [...text].entries()) {
      const last = at === text.length - 1;
      client.write(frame(character, { opcode: at === 0 ? 1 : 0, fin: last }));
      if (!last) client.write(frame('x', { opcode: 9 }));
    }
    expect(await answers(client)).toBeTrue();
    expect(client.received().toString('latin1').split('"time":5').length - 1).toBe(2);
    client.socket.destroy();
  });

  test('raw() connections that only begin are ended: silent, slow, half-closed, without pongs', async () => {
    await Promise.all(unfinished.map(({ ended }) => ended));
    expect(unfinished.map(({ open }) => open)).toEqual([false, false, false, false, false]);
  });

  test('quietPair() got everything in order, and the server keeps neither memory nor errors', async () => {
    const { sent, streamer, player } = await quiet.finish();
    const numbers = Array.from({ length: sent }, (_, at) => at + 1);
    expect(sent).toBeGreaterThan(20);
    expect(streamer).toEqual(numbers);
    expect(player).toEqual(numbers);
    const after = await server.inside();
    process.stdout.write(`${JSON.stringify({ before, after, sent })}\n`);
    expect(after.heap_bytes - before.heap_bytes).toBeLessThan(kept_bytes);
    expect(server.errors()).toEqual([]);
    expect(server.exit()).toBeNull();
  });
});
