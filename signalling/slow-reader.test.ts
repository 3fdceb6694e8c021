import { expect, test } from 'bun:test';
import { limits } from '../shared/limits.ts';
import { connect } from './testing/live.ts';
import { running } from './testing/program.ts';
import { frame, rawSocket } from './testing/raw.ts';

const frame_bytes = 60_000;
/** What the two kernels may hold for one connection, beside the server's own bound. */
const kernel_bytes = 24 * 1024 * 1024;

const candidate = (playerId: string, text: string): string =>
  JSON.stringify({ type: 'iceCandidate', candidate: { candidate: text, sdpMid: '0' }, playerId });

test('running() closes a player that stops reading within a bound, and disturbs nobody else', async () => {
  await using server = await running();
  const streamer = await connect(server.url('streamer'));
  streamer.send({ type: 'endpointId', id: 'Foo' });
  const subscribe = '{"type":"subscribe","streamerId":"Foo"}';

  const slow = await rawSocket(server.ports.player);
  slow.write(frame(subscribe));
  const slowId = String((await streamer.until('playerConnected')).playerId);
  slow.socket.pause();
  const other = await connect(server.url('player'));
  other.send(subscribe);
  const otherId = String((await streamer.until('playerConnected')).playerId);
  await other.until('config');

  const before = await server.inside();
  const padding = 'x'.repeat(frame_bytes);
  let rounds = 0;
  let gone = false;
  while (!gone && rounds * frame_bytes < 4 * kernel_bytes) {
    rounds += 1;
    streamer.send(candidate(slowId, padding));
    streamer.send(candidate(otherId, String(rounds)));
    streamer.send({ type: 'ping', time: rounds });
    for (let type: unknown = ''; type !== 'pong'; ) {
      const message = await streamer.json();
      type = message.type;
      if (type === 'playerDisconnected') gone = message.playerId === slowId;
    }
    const { candidate: got } = await other.until('iceCandidate');
    expect(got).toEqual({ candidate: String(rounds), sdpMid: '0' });
  }
  const after = await server.inside();

  expect(gone).toBeTrue();
  expect(rounds * frame_bytes).toBeLessThan(kernel_bytes + limits.browser_backlog_bytes);
  expect(after.rss - before.rss).toBeLessThan(kernel_bytes);
  other.send({ type: 'ping', time: 1 });
  expect(await other.json()).toEqual({ type: 'pong', time: 1 });
  expect(server.errors()).toEqual([]);
  slow.socket.resume();
  await slow.ended;
  process.stdout.write(`${JSON.stringify({ rounds, bytes: rounds * frame_bytes })}\n`);
});
