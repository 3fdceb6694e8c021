import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import {
  fakeAppConfig,
  fakeAppPath,
  order,
  processesOf,
  type Rig,
  startRig,
  takenPorts,
} from './testing/rig.ts';

setDefaultTimeout(120_000);
let rig: Rig;
afterEach(() => rig.stop(), 30_000);

const argumentsOf = (instance: string, role: string): string[] => {
  const [pid] = processesOf(instance, role);
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
};

/** A session of that app, its signalling server's doors, and the address that its streamer was told. */
const started = async (app: object) => {
  rig = await startRig({ apps: [app] });
  await rig.logged('connected to the coordinator');
  const session = order();
  rig.coordinator.send(session);
  await rig.coordinator.message('CONNECT_TO_SESSION');
  const command = argumentsOf(session.session_id, 'signalling');
  const port = (name: string) => command[command.indexOf(`--${name}_port`) + 1] ?? '';
  const told = argumentsOf(session.session_id, 'app').find((argument) => argument.includes('ws://')) ?? '';
  return {
    player: port('player'),
    streamer: port('streamer'),
    told: told.replace('-PixelStreamingURL=', ''),
  };
};

/** How that door answers a WebSocket upgrade. */
const knock = async (port: string, query = '', origin?: string): Promise<number> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: Number(port),
    socket: { data: (_, bytes) => resolve(bytes.toString()) },
  });
  const lines = [
    ...[`GET /${query} HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Connection: Upgrade', 'Upgrade: websocket'],
    ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
    ...(origin === undefined ? [] : [`Origin: ${origin}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const answer = await promise;
  socket.terminate();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
};

test('startRig() opens two doors a session, to the agent and to the app, and to no web page', async () => {
  const { player, streamer, told } = await started(fakeAppConfig('Flat'));
  expect(await takenPorts(rig.config)).toEqual([Number(player), Number(streamer)]);
  const { origin, search } = new URL(told.replace('ws:', 'http:'));
  expect([origin, search]).toEqual([
    `http://127.0.0.1:${streamer}`,
    expect.stringMatching(/^\?token=[0-9a-f]{64}$/),
  ]);
  const answers = [
    await knock(streamer),
    await knock(streamer, '?token=0'),
    await knock(streamer, search),
    // As Unreal's own library writes it.
    await knock(streamer, search, 'http://127.0.0.1'),
    await knock(streamer, search, 'https://evil.example'),
    await knock(streamer, search, `http://127.0.0.1:${streamer}`),
    await knock(player, search),
    await knock(player, '', 'https://evil.example'),
  ];
  expect(answers).toEqual([401, 401, 101, 101, 403, 403, 401, 403]);
  expect(JSON.stringify(rig.log)).not.toContain(search.slice('?token='.length));
});

test('startRig() goes on without the token of an app that is told a port alone; web pages stay out', async () => {
  const app = fakeAppConfig('Flat', [], {
    arguments: [
      ...[
        fakeAppPath,
        '-PixelStreamingURL=ws://127.0.0.1:{streamer_port}',
        '-PixelStreamingID={streamer_id}',
      ],
    ],
  });
  const { streamer, told } = await started(app);
  expect(told).toBe(`ws://127.0.0.1:${streamer}`);
  expect([await knock(streamer), await knock(streamer, '', 'https://evil.example')]).toEqual([101, 403]);
});
