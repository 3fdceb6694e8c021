import { expect, test } from 'bun:test';
import { createMetrics } from './metrics.ts';
import { live } from './testing/live.ts';
import { world } from './testing/world.ts';

test('createMetrics() shows what was counted and who is there', () => {
  const { registry, streamer, player } = world();
  streamer('Foo');
  player('Foo');
  player();
  const metrics = createMetrics();
  metrics.count('signalling_messages_sent_total', 'offer');
  metrics.count('signalling_messages_sent_total', 'offer');
  const page = metrics.page(registry, 1_500);
  expect(page).toContain(
    '# TYPE signalling_messages_sent_total counter\nsignalling_messages_sent_total{type="offer"} 2\n',
  );
  expect(page).toContain('\nsignalling_players 2\n');
  expect(page).toContain('\nsignalling_players_subscribed 1\n');
  expect(page).toContain('\nsignalling_streamers_streaming 1\n');
  expect(page).toContain('\nsignalling_uptime_seconds 1.5\n');
  for (const line of page.trimEnd().split('\n')) {
    expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-z_]+(\{[a-z]+="[^"]*"\})? [\d.e+-]+)$/);
  }
});

test('createMetrics() is read at /metrics', async () => {
  await using server = await live(['--metrics']);
  const player = await server.player();
  await player.text();
  player.send('null');
  player.send({ type: 'ping', time: 1 });
  await player.text();
  const page = await (await fetch(`${server.urls.http}metrics`)).text();
  expect(page).toContain('signalling_bad_messages_total{reason="malformed"} 1');
  expect(page).toContain('signalling_connections_total{role="player"} 1');
  expect(page).toContain('signalling_messages_sent_total{type="pong"} 1');
});
