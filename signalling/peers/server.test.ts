import { expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { hostPeers, openPeer } from '../testing/peers.ts';

const number = async (answer: Promise<Record<string, unknown>>) => (await answer).number;

test('hostPeers() carries the commands of E1 in their text form', async () => {
  await using host = await hostPeers();
  const ann = await host.peer('ann');
  const bob = await host.peer('bob');
  expect(await ann.ask('/join #hall word')).toEqual({
    msg: 'channel_joined',
    channel: '#hall',
    operator: 'ann',
    peers: ['ann'],
  });
  expect(await number(bob.ask('/join #hall other'))).toBe(475);
  expect((await bob.ask('/join #hall word')).peers).toEqual(['ann', 'bob']);
  expect(await ann.until('entered')).toEqual({ msg: 'entered', channel: '#hall', peer: 'bob', seq: 1 });
  const sdp = 'v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns= привет 𝒳\r\n';
  expect(await ann.ask(`/privmsg bob ${sdp}`)).toEqual({ msg: 'ok', verb: 'privmsg' });
  expect(await bob.until('private')).toEqual({ msg: 'private', from: 'ann', text: sdp, seq: 1 });
  await bob.ask('/pubmsg #hall to all');
  expect(await ann.until('public')).toMatchObject({ channel: '#hall', from: 'bob', text: 'to all' });
  expect(await bob.ask('/away at lunch')).toEqual({ msg: 'ok', verb: 'away' });
  expect((await ann.ask('/privmsg bob x')).away).toBe('at lunch');
  expect(await ann.ask('/whois bob')).toEqual({
    msg: 'peer_info',
    peer: 'bob',
    channels: ['#hall'],
    away: 'at lunch',
  });
  await bob.ask('/away');
  expect((await ann.ask('/whois bob')).away).toBeUndefined();
  expect(await bob.ask('/whois #hall')).toMatchObject({ msg: 'channel_info', operator: 'ann', members: 2 });
  expect(await bob.ask('/peers #hall')).toMatchObject({ msg: 'channel_peers', peers: ['ann', 'bob'] });
  const eve = await host.peer('eve');
  await bob.ask('/invite eve #hall');
  expect(await eve.until('invited')).toMatchObject({ channel: '#hall', from: 'bob' });
  expect((await eve.ask('/join #hall')).msg).toBe('channel_joined');
  expect(await number(bob.ask('/kick eve #hall'))).toBe(482);
  await ann.ask('/kick eve #hall');
  expect(await eve.until('left')).toMatchObject({ peer: 'eve', reason: 'kicked' });
  await ann.ask('/ban eve #hall');
  expect(await number(eve.ask('/join #hall word'))).toBe(474);
  await ann.ask('/op bob #hall');
  expect(await bob.until('operator')).toMatchObject({ peer: 'bob' });
  await bob.ask('/unban eve #hall');
  expect((await eve.ask('/join #hall word')).msg).toBe('channel_joined');
  expect(await eve.ask('/quit #hall')).toEqual({ msg: 'ok', verb: 'quit' });
  bob.send('/quit');
  expect((await bob.closed).code).toBe(1000);
  expect(await ann.until('operator')).toMatchObject({ peer: 'ann' });
  expect(await number(ann.ask('/whois bob'))).toBe(401);
});

test('hostPeers() finds the channel that E1 does not name, and asks for it when several fit', async () => {
  await using host = await hostPeers();
  const [ann, bob] = [await host.peer('ann'), await host.peer('bob')];
  expect(await ann.ask('/invite bob')).toMatchObject({ number: 407, error: 'which_channel' });
  await ann.ask('/join #x t');
  expect(await ann.ask('/invite bob')).toEqual({ msg: 'ok', verb: 'invite' });
  expect(await bob.until('invited')).toMatchObject({ channel: '#x' });
  for (const command of ['/kick bob', { verb: 'ban', peer: 'bob' }]) {
    await bob.ask('/join #x t');
    expect(await ann.ask(command)).toMatchObject({ msg: 'ok' });
    expect(await bob.until('left')).toMatchObject({ channel: '#x' });
  }
  for (const channel of ['#y', '#z']) {
    await ann.ask(`/join ${channel} t`);
    await bob.ask(`/join ${channel} t`);
  }
  const { number: code, text } = await ann.ask('/kick bob');
  expect([code, text]).toEqual([407, 'Name the channel: none fits, or several do. (#y, #z)']);
});

test('hostPeers() takes the same commands as JSON and repeats their id', async () => {
  await using host = await hostPeers();
  const ann = await openPeer(host.own_url);
  expect(await ann.ask({ verb: 'join', channel: '#x', token: 't', id: '1' })).toMatchObject({
    number: 451,
    id: '1',
  });
  expect(await ann.ask({ verb: 'descp', name: 'ann', id: '2' })).toMatchObject({ resumed: false, id: '2' });
  expect(await ann.ask({ verb: 'join', channel: '#x', token: 't', id: '3' })).toMatchObject({ id: '3' });
  expect(await ann.ask({ verb: 'nope', id: '4' })).toMatchObject({ number: 421, id: '4' });
  expect(await ann.ask({ verb: 'join', id: '5' })).toMatchObject({ number: 461, id: '5' });
  expect(await number(ann.ask('/descp other'))).toBe(462);
});

test('hostPeers() takes /peers with a slash behind it as well', async () => {
  await using host = await hostPeers();
  const ann = await openPeer(`${host.url}/`);
  expect(await ann.ask('/descp ann')).toMatchObject({ msg: 'described' });
});

test('hostPeers() counts peers, their commands and their bad messages at /metrics', async () => {
  await using host = await hostPeers({ args: ['--metrics'] });
  const ann = await host.peer('ann');
  const other = await openPeer(host.own_url);
  for (const command of ['/whois ann', '/whois nobody', '/nope', '/join', '/quit #x']) await ann.ask(command);
  const lines = async () => {
    const page = await (await fetch(host.url.replace(/^ws(.*)peers$/, 'http$1metrics'))).text();
    return page.split('\n').filter((line) => line.includes('peer'));
  };
  expect(await lines()).toEqual([
    'signalling_connections_total{role="peer"} 2',
    '# HELP signalling_peer_commands_total Commands of peers that were carried out or refused.',
    '# TYPE signalling_peer_commands_total counter',
    'signalling_peer_commands_total{verb="descp"} 1',
    'signalling_peer_commands_total{verb="whois"} 2',
    'signalling_peer_commands_total{verb="quit"} 1',
    '# HELP signalling_peer_bad_messages_total Messages of peers that were malformed or no command.',
    '# TYPE signalling_peer_bad_messages_total counter',
    'signalling_peer_bad_messages_total{reason="unknown_command"} 1',
    'signalling_peer_bad_messages_total{reason="malformed"} 1',
    '# HELP signalling_peers Peers connected.',
    '# TYPE signalling_peers gauge',
    'signalling_peers 2',
  ]);
  other.close();
  await other.closed;
  expect(await lines()).toContain('signalling_peers 1');
});

test('hostPeers() lets only those broadcast who show the token', async () => {
  await using host = await hostPeers({ args: ['--peer_broadcast_token', 'loud'] });
  const ann = await openPeer(host.url);
  expect(await number(ann.ask('/descp {"name":"ann","broadcast_token":"quiet"}'))).toBe(481);
  expect((await ann.ask('/descp {"name":"ann","broadcast_token":"loud"}')).msg).toBe('described');
  const bob = await host.peer('bob');
  expect(await number(bob.ask('/broadcast hello'))).toBe(481);
  await ann.ask('/broadcast hello');
  expect(await bob.until('announced')).toEqual({ msg: 'announced', from: 'ann', text: 'hello', seq: 1 });
});

test('hostPeers() closes who does not describe itself within five seconds', async () => {
  const clock = fakeClock();
  await using host = await hostPeers({ clock });
  const silent = await openPeer(host.url);
  const ann = await host.peer('ann');
  clock.advance(5_000);
  expect((await silent.closed).code).toBe(4401);
  expect((await ann.ask('/away')).msg).toBe('ok');
});

test('hostPeers() brings a peer back with its secret, its channels and what it missed', async () => {
  await using host = await hostPeers();
  const ann = await host.peer('ann');
  const bob = await host.peer('bob');
  await ann.ask('/join #x t');
  await bob.ask('/join #x t');
  await ann.until('entered');
  ann.close();
  await ann.closed;
  for (let at = 0; at < 5; at++) await bob.ask(`/pubmsg #x ${at}`);
  const again = await openPeer(host.url);
  expect(await number(again.ask('/descp ann'))).toBe(433);
  expect(await number(again.ask('/descp {"name":"ann","secret":"wrong"}'))).toBe(433);
  again.send({ verb: 'descp', name: 'ann', secret: ann.secret });
  expect(await again.until('described')).toMatchObject({ resumed: true, channels: ['#x'], lost: 0 });
  expect((await again.rest()).map(({ text, seq }) => [text, seq])).toEqual([
    ['0', 2],
    ['1', 3],
    ['2', 4],
    ['3', 5],
    ['4', 6],
  ]);
  expect(await again.ask('/kick bob #x')).toEqual({ msg: 'ok', verb: 'kick' });
  const newest = await openPeer(host.url);
  newest.send({ verb: 'descp', name: 'ann', secret: ann.secret, after: 4 });
  expect((await newest.rest()).map(({ seq }) => seq)).toEqual([undefined, 5, 6, 7]);
  expect((await again.closed).code).toBe(4409);
});

test('hostPeers() forgets a peer that is away for a minute, and tells its channels', async () => {
  const clock = fakeClock();
  await using host = await hostPeers({ clock });
  const ann = await host.peer('ann');
  const bob = await host.peer('bob');
  await ann.ask('/join #x t');
  await bob.ask('/join #x t');
  const step = async (seconds: number) => {
    for (let at = 0; at < seconds; at += 2.5) {
      clock.advance(2_500);
      await bob.rest().then((found) => seen.push(...found));
    }
  };
  const seen: Record<string, unknown>[] = [];
  await step(65);
  ann.close();
  await ann.closed;
  await step(55);
  expect(seen.map(({ msg }) => msg)).toEqual([]);
  await step(20);
  expect(seen.map(({ msg, reason, peer }) => [msg, reason, peer])).toEqual([
    ['left', 'gone', 'ann'],
    ['operator', undefined, 'bob'],
  ]);
  expect(await number(bob.ask('/whois ann'))).toBe(401);
});

test('hostPeers() keeps the order of what one peer sends without waiting', async () => {
  await using host = await hostPeers();
  const ann = await host.peer('ann');
  const bob = await host.peer('bob');
  for (let at = 0; at < 100; at++) ann.send(`/privmsg bob ${at}`);
  const texts: unknown[] = [];
  while (texts.length < 100) texts.push((await bob.until('private')).text);
  expect(texts).toEqual(Array.from({ length: 100 }, (_, at) => `${at}`));
});

test('hostPeers() survives what is no command, and closes after the budget', async () => {
  await using host = await hostPeers();
  const bystander = await host.peer('ann');
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const bad = [
    ...['null', '[]', '1', '"x"', '{', '', '/', '//', '/ join', '/\0', '/__proto__ x', '/constructor'],
    ...['{"verb":1}', '{"verb":"__proto__"}', '{"verb":"join","channel":{"a":[]}}', '{"msg":"ok"}'],
    ...['/descp {', '/descp {}', '/descp []', '/descp {"name":null}', '/descp {"name":"a","extra":1}'],
    ...['/descp', '/descp a b', '/descp #a', `/descp ${'a'.repeat(65)}`, '/descp a\u202eb', '/descp \ud800'],
    ...[
      deep,
      `{"verb":"descp","name":${deep}}`,
      `/descp {"name":${deep}}`,
      `/privmsg a ${'я'.repeat(16_385)}`,
    ],
  ];
  for (const text of bad) {
    const peer = await openPeer(host.url);
    // A long frame is not read when it is the first.
    if (text.length > 4_000) await peer.ask('/nothing');
    const answer = await peer.ask(text);
    expect([text.slice(0, 40), answer.msg, [421, 461].includes(Number(answer.number))]).toEqual([
      text.slice(0, 40),
      'error',
      true,
    ]);
    peer.close();
  }
  const garbage = await openPeer(host.url);
  for (let at = 0; at < 21; at++) garbage.send(Uint8Array.of(0x2f, 0xff, 0xfe, at, 0xc3, 0x28));
  expect((await garbage.closed).code).toBe(1008);
  const flood = await host.peer('flood');
  for (let at = 0; at < 2_000; at++) flood.send('/whois flood');
  expect((await flood.closed).code).toBe(1008);
  const large = await openPeer(host.url);
  large.send(`/descp ${'a'.repeat(100_000)}`);
  expect([1006, 1009]).toContain((await large.closed).code);
  expect((await bystander.ask('/whois ann')).msg).toBe('peer_info');
});

test('hostPeers() refuses more than its bounds', async () => {
  await using host = await hostPeers();
  const ann = await host.peer('ann');
  for (let at = 0; at < 20; at++) expect((await ann.ask(`/join #c${at} t`)).msg).toBe('channel_joined');
  expect(await number(ann.ask('/join #more t'))).toBe(405);
  expect(await number(ann.ask(`/pubmsg #c0 ${'x'.repeat(16_385)}`))).toBe(461);
  expect(await number(ann.ask('/join #none'))).toBe(403);
});

test('hostPeers() lets peers in with what lets players in', async () => {
  await using host = await hostPeers({ args: ['--player_token', 'in'] });
  expect(openPeer(host.url)).rejects.toThrow();
  expect(openPeer(host.own_url)).rejects.toThrow();
  const peer = await openPeer(`${host.own_url}?token=in`);
  expect((await peer.ask('/descp ann')).msg).toBe('described');
  host.server.stop();
  expect((await peer.closed).code).toBe(1012);
});

test('hostPeers() names what is wrong with --redis_url and --peer_port', () => {
  for (const [option, value] of [
    ['--redis_url', '127.0.0.1:6379'],
    ['--redis_url', 'http://127.0.0.1'],
    ['--peer_port', '70000'],
  ] as const) {
    expect(hostPeers({ args: [option, value] })).rejects.toThrow(option);
  }
});
