import { describe, expect, test } from 'bun:test';
import { bounds } from '../kit/limits.ts';
import { type Caller, createConnections } from './connections.ts';

const opened = () => {
  const sockets = new Map<string, number>();
  const connections = createConnections({ sockets });
  const most = 200;
  const closes = new Map<string, (() => void)[]>();
  /** Opens so many from the network, while that may be; gives how many. */
  const open = (count: number, network: string, caller: Caller): number => {
    let made = 0;
    while (made < count && connections.full(network, caller, most) === undefined) {
      const peer = connections.counted(network, caller, () => ({ frame: () => {}, closed: () => {} }))({
        remote: network,
        backlog: () => 0,
        send: () => true,
        close: () => {},
      });
      closes.set(network, [...(closes.get(network) ?? []), () => peer.closed(1000, '')]);
      made += 1;
    }
    return made;
  };
  const flood = (caller: Caller): number => {
    let made = 0;
    for (let network = 0; network < 1_000; network++) made += open(1_000, `${caller}-${network}`, caller);
    return made;
  };
  const close = (network: string) => {
    for (const one of closes.get(network) ?? []) one();
  };
  return { open, flood, close, sockets };
};

describe('createConnections()', () => {
  test('createConnections() keeps a part for hosts, whoever else comes', () => {
    const { open, flood } = opened();
    expect(flood('client')).toBe(bounds.connections - bounds.connections_for_hosts);
    expect(open(1, 'somebody', 'player')).toBe(0);
    expect(flood('stranger')).toBe(bounds.strange_links);
    expect(open(200, 'client-0', 'agent')).toBe(200);
    expect(flood('agent')).toBe(bounds.connections_for_hosts - bounds.strange_links - 200);
    expect(open(1, 'new', 'agent')).toBe(0);
  });

  test('createConnections() bounds each network, by what it is, and counts what is closed no more', () => {
    const { open, close, sockets } = opened();
    expect([open(150, 'a', 'client'), open(150, 'a', 'player')]).toEqual([150, 50]);
    expect(open(1_000, 'a', 'stranger')).toBe(bounds.strange_links_of_network);
    expect([open(1_000, 'a', 'agent'), open(1_000, 'b', 'client')]).toEqual([200, 200]);
    expect(Object.fromEntries(sockets)).toEqual({ client: 350, player: 50, agent: 220 });
    close('a');
    expect(Object.fromEntries(sockets)).toEqual({ client: 200, player: 0, agent: 0 });
    expect(open(1_000, 'a', 'player')).toBe(200);
  });
});
