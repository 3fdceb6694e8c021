import { describe, expect, test } from 'bun:test';
import { describe as describePeer, forget, isExpired, setAway } from './identity.ts';
import { ban, join as enter, handOver, invite, kick, leave, unban } from './membership.ts';
import { type Channel, type No, type Outcome, type Peer, peer_limits, type Records } from './outcome.ts';
import { listMembers, tell, tellAll, tellChannel, whois } from './talk.ts';

const peer = (name: string, channels: string[] = [], more: Partial<Peer> = {}): Peer => ({
  ...{ name, channels, seal: `${name}'s`, session: '1', may_broadcast: false },
  ...more,
});
const hall: Channel = {
  name: '#hall',
  seal: 'right',
  operator: 'op',
  members: ['op', 'ann', 'bob'],
  banned: ['bad'],
  invited: ['guest'],
};
const op = peer('op', ['#hall']);
const ann = peer('ann', ['#hall']);
const bob = peer('bob', ['#hall'], { away: 'lunch' });
const eve = peer('eve');
const join = (given: Records, me: Peer, name: string, seal: string | undefined) =>
  enter(given, me, name, { seal, channels_of_network: 100 });
const records = (channel: Channel | undefined = hall, totals = { peers: 4, channels: 1 }): Records => ({
  peers: new Map([op, ann, bob, eve].map((each) => [each.name, each])),
  channels: new Map(channel === undefined ? [] : [[channel.name, channel]]),
  leases: new Map([['ann', 100]]),
  totals,
  held: { peers: 0, channels: 0 },
});
const many = (count: number) => Array.from({ length: count }, (_, at) => `m${at}`);

/** A decision in a few words: the refusal, or what became of the channel and who is told what. */
const outcome = (decision: Outcome | No): unknown => {
  if ('no' in decision) return decision.no;
  const [channel] = decision.channels ?? [];
  return {
    ...(channel === undefined ? {} : { members: channel.members.join(' '), operator: channel.operator }),
    ...(decision.gone === undefined ? {} : { gone: decision.gone }),
    mail: (decision.mail ?? []).map((mail) => {
      const { msg, ...rest } = mail.event;
      const who = 'peer' in rest ? ` ${rest.peer}` : '';
      const why = 'reason' in rest ? ` ${rest.reason}` : '';
      return `${'to' in mail ? mail.to.join(' ') : '*'}: ${msg}${who}${why}`;
    }),
  };
};

const full = { ...hall, members: [...hall.members, ...many(97)] };
const alone = { ...hall, members: ['op'] };
const crowded = { ...hall, banned: many(peer_limits.bans), invited: many(peer_limits.invitations) };
const busy = peer('busy', many(20));
const top = { peers: 1, channels: peer_limits.channels };

/** Where op rules a second channel, with bob in both. */
const yard: Channel = { ...hall, name: '#yard', members: ['op', 'bob'] };
const host = peer('op', ['#hall', '#yard']);
const both: Records = {
  ...records(),
  channels: new Map([hall, yard].map((channel) => [channel.name, channel])),
};

const rows: [name: string, decision: Outcome | No, found: unknown][] = [
  [
    'join() with the token',
    join(records(), eve, '#hall', 'right'),
    { members: 'op ann bob eve', operator: 'op', mail: ['op ann bob: entered eve'] },
  ],
  ['join() again', join(records(), ann, '#hall', undefined), { mail: [] }],
  [
    'join() by invitation',
    join(records(), peer('guest'), '#hall', undefined),
    { members: 'op ann bob guest', operator: 'op', mail: ['op ann bob: entered guest'] },
  ],
  ['join() with another token', join(records(), eve, '#hall', 'wrong'), 'wrong_token'],
  ['join() without a token', join(records(), eve, '#hall', undefined), 'wrong_token'],
  ['join() of the banned', join(records(), peer('bad'), '#hall', 'right'), 'banned'],
  ['join() of the banned in another case', join(records(), peer('BAD'), '#hall', 'right'), 'banned'],
  ['join() of the banned in another script', join(records(), peer('b\u0430d'), '#hall', 'right'), 'banned'],
  ['join() of who looks like a member', join(records(), peer('Ann'), '#hall', 'right'), 'name_taken'],
  ['join() of a double by script', join(records(), peer('\u0430nn'), '#hall', undefined), 'wrong_token'],
  ['join() of a double with the token', join(records(), peer('\u0430nn'), '#hall', 'right'), 'name_taken'],
  ['join() of who looks like the guest', join(records(), peer('GUEST'), '#hall', undefined), 'wrong_token'],
  ['join() of a full channel', join(records(full), eve, '#hall', 'right'), 'channel_full'],
  ['join() of one too many', join(records(), busy, '#hall', 'right'), 'too_many_channels'],
  ['join() creates', join(records(), eve, '#new', 'mine'), { members: 'eve', operator: 'eve', mail: [] }],
  ['join() creates nothing without a token', join(records(), eve, '#new', undefined), 'no_such_channel'],
  ['join() creates none too many', join(records(hall, top), eve, '#new', 'mine'), 'server_full'],
  [
    'leave() of a member',
    leave(records(), ann, '#hall', 'quit'),
    { members: 'op bob', operator: 'op', mail: ['op bob: left ann quit'] },
  ],
  [
    'leave() of the operator',
    leave(records(), op, '#hall', 'gone'),
    { members: 'ann bob', operator: 'ann', mail: ['ann bob: left op gone', 'ann bob: operator ann'] },
  ],
  [
    'leave() of the last',
    leave(records(alone), op, '#hall', 'quit'),
    { gone: { channel: '#hall' }, mail: [] },
  ],
  ['leave() of a stranger', leave(records(), eve, '#hall', 'quit'), 'not_member'],
  ['leave() of nothing', leave(records(), eve, '#none', 'quit'), 'no_such_channel'],
  ['leave() of what is no more', leave(records(), peer('x', ['#none']), '#none', 'gone'), { mail: [] }],
  [
    'kick() by the operator',
    kick(records(), op, 'ann', '#hall'),
    { members: 'op bob', operator: 'op', mail: ['op ann bob: left ann kicked'] },
  ],
  ['kick() by a member', kick(records(), ann, 'bob', '#hall'), 'not_operator'],
  ['kick() by a stranger', kick(records(), eve, 'bob', '#hall'), 'not_member'],
  ['kick() of a stranger', kick(records(), op, 'eve', '#hall'), 'no_such_peer'],
  ['kick() of oneself', kick(records(), op, 'op', '#hall'), 'malformed'],
  ['kick() in no channel', kick(records(), op, 'ann', '#none'), 'no_such_channel'],
  [
    'ban() of a member',
    ban(records(), op, 'ann', '#hall'),
    { members: 'op bob', operator: 'op', mail: ['op ann bob: left ann banned'] },
  ],
  [
    'ban() of a name that is not here',
    ban(records(), op, 'nobody', '#hall'),
    { members: 'op ann bob', operator: 'op', mail: [] },
  ],
  ['ban() again', ban(records(), op, 'bad', '#hall'), { mail: [] }],
  ['ban() of one too many', ban(records(crowded), op, 'ann', '#hall'), 'list_full'],
  ['ban() of oneself', ban(records(), op, 'op', '#hall'), 'malformed'],
  ['ban() by a member', ban(records(), ann, 'bob', '#hall'), 'not_operator'],
  [
    'unban() of the banned',
    unban(records(), op, 'bad', '#hall'),
    { members: 'op ann bob', operator: 'op', mail: [] },
  ],
  ['unban() of another', unban(records(), op, 'ann', '#hall'), 'no_such_peer'],
  [
    'handOver() to a member',
    handOver(records(), op, 'ann', '#hall'),
    { members: 'op ann bob', operator: 'ann', mail: ['op ann bob: operator ann'] },
  ],
  ['handOver() to oneself', handOver(records(), op, 'op', '#hall'), { mail: [] }],
  ['handOver() to a stranger', handOver(records(), op, 'eve', '#hall'), 'no_such_peer'],
  ['handOver() by a member', handOver(records(), ann, 'ann', '#hall'), 'not_operator'],
  [
    'invite() by a member',
    invite(records(), ann, 'eve', '#hall'),
    { members: 'op ann bob', operator: 'op', mail: ['eve: invited'] },
  ],
  ['invite() of a member', invite(records(), ann, 'bob', '#hall'), { mail: ['bob: invited'] }],
  ['invite() by a stranger', invite(records(), eve, 'ann', '#hall'), 'not_member'],
  ['invite() of nobody', invite(records(), ann, 'nobody', '#hall'), 'no_such_peer'],
  ['invite() of one too many', invite(records(crowded), ann, 'eve', '#hall'), 'list_full'],
  ['invite() of the banned', invite(records({ ...hall, banned: ['eve'] }), ann, 'eve', '#hall'), 'banned'],
  [
    'kick() from the only channel that fits',
    kick(both, host, 'ann', undefined),
    { members: 'op bob', operator: 'op', mail: ['op ann bob: left ann kicked'] },
  ],
  ['kick() from one of two', kick(both, host, 'bob', undefined), 'which_channel'],
  ['kick() from none', kick(both, host, 'eve', undefined), 'which_channel'],
  ["kick() from none of one's own", kick(records(), ann, 'bob', undefined), 'which_channel'],
  ['kick() of oneself from anywhere', kick(records(), op, 'op', undefined), 'malformed'],
  [
    'ban() from the only channel that fits',
    ban(both, host, 'ann', undefined),
    { members: 'op bob', operator: 'op', mail: ['op ann bob: left ann banned'] },
  ],
  ['ban() from one of two', ban(both, host, 'bob', undefined), 'which_channel'],
  [
    'invite() to the only channel that fits',
    invite(both, ann, 'eve', undefined),
    { members: 'op ann bob', operator: 'op', mail: ['eve: invited'] },
  ],
  ['invite() to one of two', invite(both, host, 'eve', undefined), 'which_channel'],
  ['invite() to none', invite(both, eve, 'ann', undefined), 'which_channel'],
  ['tell() a peer', tell(records(), eve, 'ann', 'x'), { mail: ['ann: private'] }],
  ['tell() nobody', tell(records(), eve, 'nobody', 'x'), 'no_such_peer'],
  ['tellChannel() as a member', tellChannel(records(), ann, '#hall', 'x'), { mail: ['op bob: public'] }],
  ['tellChannel() as a stranger', tellChannel(records(), eve, '#hall', 'x'), 'not_member'],
  ['tellChannel() of none', tellChannel(records(), eve, '#none', 'x'), 'no_such_channel'],
  [
    'tellAll() with the permission',
    tellAll({ ...eve, may_broadcast: true }, 'x'),
    { mail: ['*: announced'] },
  ],
  ['tellAll() without it', tellAll(eve, 'x'), 'forbidden'],
  ['whois() of nobody', whois(records(), 'nobody'), 'no_such_peer'],
  ['whois() of no channel', whois(records(), '#none'), 'no_such_channel'],
  ['listMembers() for a stranger', listMembers(records(), eve, '#hall'), 'not_member'],
  ['forget() of a peer that is still somewhere', forget(ann), 'unavailable'],
  ['forget() of one that is nowhere', forget(eve), { gone: { peer: 'eve' }, mail: [] }],
];

for (const [name, decision, found] of rows) {
  test(`outcome() of ${name}`, () => {
    expect(outcome(decision)).toEqual(found);
  });
}

test('join() makes no channel beyond what the peers of its network may have made, and enters others', () => {
  const held = { peers: 1, channels: 3 };
  const entry = { seal: 'k', channels_of_network: 3 };
  expect(enter({ ...records(), held }, eve, '#new', entry)).toEqual({ no: 'network_full' });
  expect(enter({ ...records(), held }, eve, '#new', { ...entry, channels_of_network: 4 })).toMatchObject({
    channels: [{ name: '#new' }],
  });
  expect(enter({ ...records(), held }, eve, '#hall', { ...entry, seal: hall.seal })).toMatchObject({
    answer: { msg: 'channel_joined' },
  });
});

describe('describePeer()', () => {
  const claim = {
    name: 'ann',
    session: '2',
    shown_seal: undefined,
    shown_secret: undefined,
    secret: 's',
    seal: 'h',
    may_broadcast: false,
    may_enter: true,
    network: '192.0.2.1',
    names_of_network: 500,
  };

  test('describePeer() takes a newcomer, and refuses a taken name and one too many', () => {
    expect(describePeer(records(), { ...claim, name: 'new' }, 5)).toMatchObject({
      peers: [{ name: 'new', seal: 'h', session: '2' }],
      lease: { peer: 'new', until: 60_005 },
      answer: { secret: 's', resumed: false },
    });
    expect(describePeer(records(), claim, 5)).toMatchObject({ no: 'name_taken' });
    expect(describePeer(records(), { ...claim, shown_secret: 'x', shown_seal: 'x' }, 5)).toMatchObject({
      no: 'name_taken',
    });
    const totals = { peers: peer_limits.peers, channels: 0 };
    expect(describePeer(records(hall, totals), { ...claim, name: 'new' }, 5)).toEqual({ no: 'server_full' });
    const late = { ...claim, name: 'new', may_enter: false };
    expect(describePeer(records(), late, 5)).toEqual({ no: 'too_many_names' });
    expect(describePeer(records(), { ...late, name: 'ann' }, 5)).toMatchObject({ no: 'name_taken' });
  });

  test('describePeer() gives a peer that returns its place, with the rights it had', () => {
    expect(
      describePeer(records(), { ...claim, shown_secret: 'x', shown_seal: "ann's", may_broadcast: true }, 5),
    ).toMatchObject({
      peers: [{ name: 'ann', seal: "ann's", session: '2', channels: ['#hall'], may_broadcast: true }],
      answer: { secret: 'x', resumed: true, channels: ['#hall'] },
    });
  });
});

test('setAway() sets and takes away the text, which whoever writes is told', () => {
  expect(setAway(ann, 'x').peers?.[0]?.away).toBe('x');
  expect(setAway(bob, undefined).peers?.[0]).not.toHaveProperty('away');
  expect(tell(records(), eve, 'bob', 'x')).toMatchObject({ answer: { away: 'lunch' } });
});

test('isExpired() when the lease has run out, or there is none', () => {
  expect([
    isExpired(records(), 'ann', 99),
    isExpired(records(), 'ann', 100),
    isExpired(records(), 'eve', 0),
  ]).toEqual([false, true, true]);
});
