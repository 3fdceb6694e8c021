import { expect, test } from 'bun:test';
import { startRedis } from '../../shared/testing/redis.ts';
import { spawnSignalling } from '../testing/peer-process.ts';

test('spawnSignalling() twice on one Redis is one network, and a killed process loses nothing', async () => {
  await using redis = await startRedis();
  await using left = await spawnSignalling(redis.url);
  await using right = await spawnSignalling(redis.url);

  const ann = await left.open();
  const bob = await right.open();
  const eve = await right.open();
  const { secret } = await ann.ask('/descp ann');
  expect(await bob.ask('/descp ann')).toMatchObject({ number: 433 });
  await bob.ask('/descp bob');
  await eve.ask('/descp eve');
  await ann.ask('/join #x t');
  expect(await bob.ask('/join #x t')).toMatchObject({ operator: 'ann', peers: ['ann', 'bob'] });
  await eve.ask('/join #x t');
  expect(await ann.until('entered')).toMatchObject({ peer: 'bob', seq: 1 });
  expect(await bob.ask('{"verb":"away","text":"\\ud83d","id":"\\ud83d"}')).toMatchObject({ msg: 'ok' });
  expect((await ann.ask('/privmsg bob over there')).away).toBe('\ufffd');
  expect(await bob.until('private')).toMatchObject({ from: 'ann', text: 'over there' });
  await bob.ask('/pubmsg #x to all');
  expect(await ann.until('public')).toMatchObject({ from: 'bob', text: 'to all', seq: 3 });
  await ann.ask('/ban eve #x');
  expect(await eve.until('left')).toMatchObject({ peer: 'eve', reason: 'banned' });
  expect(await eve.ask('/join #x t')).toMatchObject({ number: 474 });
  expect(await ann.until('left')).toMatchObject({ peer: 'eve', seq: 4 });

  await left.kill();
  await ann.closed;
  for (let at = 0; at < 210; at++) await bob.ask(`/privmsg ann ${at}`);

  await using again = await spawnSignalling(redis.url);
  const back = await again.open();
  expect(await back.ask({ verb: 'descp', name: 'ann', secret, after: 4 })).toMatchObject({
    resumed: true,
    channels: ['#x'],
    lost: 10,
  });
  const missed = await back.rest();
  expect(missed.map(({ text }) => text)).toEqual(Array.from({ length: 200 }, (_, at) => `${at + 10}`));
  expect(missed.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, at) => at + 15));
  expect(await back.ask('/op bob #x')).toMatchObject({ msg: 'ok' });
  expect(await bob.until('operator')).toMatchObject({ peer: 'bob' });
  expect(await bob.ask('/kick ann #x')).toMatchObject({ msg: 'ok' });
  expect(await back.until('left')).toMatchObject({ peer: 'ann', reason: 'kicked' });

  // A peer that is taken over in another process has no say any more in the first.
  const elsewhere = await right.open();
  expect(await elsewhere.ask({ verb: 'descp', name: 'ann', secret })).toMatchObject({ resumed: true });
  expect((await back.closed).code).toBe(4409);
});

test('spawnSignalling() says that Redis is away, and goes on when it is back', async () => {
  await using redis = await startRedis();
  await using server = await spawnSignalling(redis.url);
  const ann = await server.open();
  await ann.ask('/descp ann');
  await redis.kill();
  expect(await ann.ask('/join #x t')).toMatchObject({ number: 503, error: 'unavailable' });
  await redis.start();
  // This Redis keeps nothing on the disk: the peer is told to describe itself again.
  expect((await ann.closed).code).toBe(4409);
  const again = await server.open();
  for (;;) if ((await again.ask('/descp ann')).msg === 'described') break;
  expect((await again.ask('/join #x t')).msg).toBe('channel_joined');
});
