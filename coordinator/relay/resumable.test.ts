import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { limits } from '../../shared/limits.ts';
import type { Participation } from '../../shared/protocol/http.ts';
import { channel_header_bytes } from '../../shared/protocol/player-channel.ts';
import { bounds } from '../kit/limits.ts';
import type { FakeAgent } from '../testing/fake-agent.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { openSocket, type TestSocket } from '../testing/socket.ts';
import { connectPlayer } from './players.ts';

setDefaultTimeout(60_000);

const name = 'abcdefghijklmnopqrstuv';
/** No text, and nothing that the coordinator should understand. */
const bytes = Uint8Array.of(0xff, 0, 0xc3, 1);

const bytesOf = (socket: TestSocket) =>
  socket.next('bytes', (frame) => (typeof frame === 'string' ? undefined : [...frame]));

const join = async (rig: Rig, agent: FakeAgent, member: Participation) => {
  const socket = await openSocket(`${await rig.ticketUrl(member)}&resumable=${name}`);
  const order = await agent.next('CONNECT_USER_TO_SESSION');
  return { socket, order, channel: order.channel };
};

describe(`${connectPlayer.name}() for a resumable channel`, () => {
  test('connectPlayer() tells the host its name, and copies bytes both ways unread', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const { socket, order, channel } = await join(rig, agent, owner);
    expect(order).toMatchObject({ resumable: name, user_id: owner.participant_id });
    socket.send(bytes);
    expect(await agent.nextFrame('data')).toEqual({ kind: 'data', channel, payload: bytes });
    agent.relay({ kind: 'data', channel, payload: bytes });
    expect(await bytesOf(socket)).toEqual([...bytes]);
    const large = new Uint8Array(limits.frame_bytes + channel_header_bytes);
    socket.send(large);
    expect((await agent.nextFrame('data')).payload).toHaveLength(large.length);
  });

  test('connectPlayer() takes no text on it, and no name that could be guessed', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const { socket } = await join(rig, agent, owner);
    socket.send('text');
    expect((await socket.closed()).code).toBe(1007);
    for (const guess of ['', 'short', `${name}x`, `${name.slice(1)}!`]) {
      const url = `${await rig.ticketUrl(owner)}&resumable=${guess}`.replace('ws:', 'http:');
      const { status } = await rig.request('GET', url.replace(rig.base, ''), {
        headers: { Upgrade: 'websocket' },
      });
      expect(status).toBe(400);
    }
  });

  test('connectPlayer() lets what waited during a cut come at once, and stops a flood', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const { socket } = await join(rig, agent, await rig.session(agent));
    const most = limits.messages_burst * bounds.resumable_frames;
    for (let n = 0; n < most; n++) socket.send(bytes);
    for (let n = 0; n < most; n++) await agent.nextFrame('data');
    socket.send(bytes);
    expect((await socket.closed()).code).toBe(1008);
  });

  test('connectPlayer() is not for a host of the former version: its tickets say so', async () => {
    await using rig = await startRig();
    const agent = await rig.host({ protocol: 1 });
    const owner = await rig.session(agent);
    const ticket = () =>
      rig.request('POST', `/api/v1/sessions/${owner.session.id}/tickets`, { token: owner.participant_token });
    expect((await ticket()).body).toMatchObject({ resumable: false });
    const socket = await openSocket(`${await rig.ticketUrl(owner)}&resumable=${name}`);
    expect((await socket.closed()).code).toBe(1012);
  });

  test('connectPlayer() keeps the session for a page that was cut off, which comes back as who it was', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const { socket } = await join(rig, agent, owner);
    socket.terminate();
    await agent.nextFrame('close');
    await rig.pass(60_000, agent);
    expect(await rig.phase(owner)).toBe('ready');
    const again = await join(rig, agent, owner);
    expect(again.order).toMatchObject({ resumable: name, user_id: owner.participant_id });
    await rig.pass(120_000, agent);
    expect(await rig.phase(owner)).toBe('ready');
    again.socket.terminate();
    await agent.nextFrame('close');
    await rig.pass(75_000, agent);
    expect(await agent.next('END_SESSION')).toMatchObject({ reason: 'last_left' });
  });

  test.each([1000, 1001])(
    'connectPlayer() frees the seat soon when a page says goodbye with %d',
    async (code) => {
      await using rig = await startRig();
      const agent = await rig.host();
      const owner = await rig.session(agent);
      const { socket } = await join(rig, agent, owner);
      socket.close(code);
      await agent.nextFrame('close');
      await rig.pass(12_500, agent);
      expect(await agent.next('END_SESSION')).toMatchObject({ reason: 'last_left' });
    },
  );

  test('connectPlayer() waits for a guest who was cut off, too, when the owner leaves', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const guest = await rig.join(owner.session.code);
    const { socket } = await join(rig, agent, guest);
    socket.terminate();
    await agent.nextFrame('close');
    await rig.pass(15_000, agent);
    await rig.request('POST', `/api/v1/sessions/${owner.session.id}/leave`, {
      token: owner.participant_token,
    });
    expect(await agent.next('DISCONNECT_USER')).toMatchObject({ user_id: owner.participant_id });
    await rig.pass(20_000, agent);
    expect(await rig.phase(guest)).toBe('ready');
    await join(rig, agent, guest);
  });

  test('connectPlayer() carries nothing of an old link to a page of the next one, though the numbers are the same', async () => {
    await using rig = await startRig();
    const first = await rig.host();
    const owner = await rig.session(first);
    const guest = await rig.join(owner.session.code);
    const before = await join(rig, first, owner);
    const ref = { session_id: owner.session.id, generation: 1, state: 'ready' } as const;
    const second = await rig.agent({ sessions: [ref] });
    await second.next('WELCOME');
    expect((await before.socket.closed()).code).toBe(1012);
    const after = await join(rig, second, guest);
    expect(after.channel).toBe(before.channel);
    first.relay({ kind: 'data', channel: before.channel, payload: Uint8Array.of(1) });
    second.relay({ kind: 'data', channel: after.channel, payload: Uint8Array.of(2) });
    expect(await bytesOf(after.socket)).toEqual([2]);
    expect(after.socket.rest()).toEqual([]);
  });

  test('connectPlayer() lets pages that do not read cost nobody else anything, and closes each of them', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const guests = await Promise.all(Array.from({ length: 10 }, () => rig.join(owner.session.code)));
    const deaf = new Map<number, { stop: () => void }>();
    const quick = [];
    for (const guest of guests) {
      const player = await startDeafPlayer(`${await rig.ticketUrl(guest)}&resumable=${name}`);
      deaf.set((await agent.next('CONNECT_USER_TO_SESSION')).channel, player);
      for (let n = 0; n < 3; n++) quick.push(await join(rig, agent, guest));
    }
    const much = new Uint8Array(64 * 1024);
    const sent = new Map([...deaf.keys()].map((channel) => [channel, 0]));
    const closes: { channel: number; code: number }[] = [];
    const listen = async () => {
      while (closes.length < deaf.size) closes.push(await agent.nextFrame('close'));
    };
    const heard = listen();
    for (let n = 0; closes.length < deaf.size; n++) {
      for (const [channel, bytes] of sent) {
        if (closes.some((close) => close.channel === channel)) continue;
        agent.relay({ kind: 'data', channel, payload: much });
        sent.set(channel, bytes + much.length);
      }
      for (const { channel } of quick)
        agent.relay({ kind: 'data', channel, payload: Uint8Array.of(n % 256) });
      for (const { socket } of quick) expect(await bytesOf(socket)).toEqual([n % 256]);
    }
    await heard;
    expect(closes.map(({ code }) => code)).toEqual(Array(deaf.size).fill(1013));
    expect(new Set(closes.map(({ channel }) => channel))).toEqual(new Set(deaf.keys()));
    // The bound, and what the kernel takes on a connection of this machine.
    for (const bytes of sent.values()) expect(bytes).toBeLessThan(16 * 1024 * 1024);
    for (const { stop } of deaf.values()) stop();
  });
});

/** A player on a bare TCP connection that asks for the upgrade and reads nothing after it. */
const startDeafPlayer = async (address: string) => {
  const { hostname, port, pathname, search, host } = new URL(address);
  const opened = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(one) {
        one.pause();
        opened.resolve();
      },
    },
  });
  const head = [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${btoa('0123456789abcdef')}`,
    'Sec-WebSocket-Version: 13',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await opened.promise;
  return { stop: () => socket.terminate() };
};
