import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/**
 * A small internet on this machine, of network namespaces: a public machine, and two homes behind NAT routers that drop
 * whatever was not asked for from inside. Needs root, iproute2 and nftables.
 *
 * ```
 *   public 203.0.113.10 ─┬─ bridge ─┬─ router 203.0.113.20 ─ host    10.77.0.2
 *                        │          └─ router 203.0.113.30 ─ visitor 192.168.77.2
 * ```
 */
export interface Network {
  /** Puts a command into a place: `[...inside('host'), 'program', 'argument']`. */
  inside(place: Place): string[];
  /** Runs a command in a place; its output, or an exception when it fails. */
  run(place: Place, ...command: string[]): string;
  stop(): void;
}

export type Place = 'public' | 'host' | 'visitor' | 'router-a' | 'router-b';

export const PUBLIC_ADDRESS = '203.0.113.10';
export const HOST_ROUTER = '203.0.113.20';
export const VISITOR_ROUTER = '203.0.113.30';
export const HOST_ADDRESS = '10.77.0.2';

/** `random`: each peer sees another port (symmetric). */
type Masquerade = 'masquerade' | 'masquerade random';

const routerRules = (masquerade: Masquerade) => `
table ip nat {
  chain after { type nat hook postrouting priority 100; oifname "out" ${masquerade}; }
}
table ip filter {
  chain forward { type filter hook forward priority 0; policy drop; iifname "in" accept; ct state established,related accept; }
  chain input { type filter hook input priority 0; policy drop; iifname "in" accept; iifname "lo" accept; ct state established,related accept; }
}`;

const run = (command: string[], input?: string): string =>
  execFileSync(command[0] ?? '', command.slice(1), {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  });

/** Builds the network; names carry a random tag, so that runs side by side do not meet. */
export const startNetwork = (masquerade: Masquerade = 'masquerade'): Network => {
  const tag = randomBytes(3).toString('hex');
  const name = (place: string) => `vitrina-${tag}-${place}`;
  const made: string[] = [];
  const inside = (place: string) => ['ip', 'netns', 'exec', name(place)];
  const within = (place: string, ...command: string[]) => run([...inside(place), ...command]);

  const addNamespace = (place: string) => {
    run(['ip', 'netns', 'add', name(place)]);
    made.push(place);
    within(place, 'ip', 'link', 'set', 'lo', 'up');
  };
  const cable = (a: string, a_end: string, b: string, b_end: string) => {
    run([
      'ip',
      'link',
      'add',
      a_end,
      'netns',
      name(a),
      'type',
      'veth',
      'peer',
      'name',
      b_end,
      'netns',
      name(b),
    ]);
    within(a, 'ip', 'link', 'set', a_end, 'up');
    within(b, 'ip', 'link', 'set', b_end, 'up');
  };
  const address = (place: string, device: string, value: string) =>
    within(place, 'ip', 'addr', 'add', value, 'dev', device);
  const plugIn = (place: string, value: string) => {
    cable(place, 'out', 'bridge', `p-${place}`.slice(0, 15));
    address(place, 'out', value);
    within('bridge', 'ip', 'link', 'set', `p-${place}`.slice(0, 15), 'master', 'br0');
  };
  const home = (router: string, outside: string, place: string, gateway: string, own: string) => {
    addNamespace(router);
    addNamespace(place);
    plugIn(router, `${outside}/24`);
    cable(router, 'in', place, 'eth0');
    address(router, 'in', `${gateway}/24`);
    address(place, 'eth0', `${own}/24`);
    within(place, 'ip', 'route', 'add', 'default', 'via', gateway);
    within(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    run([...inside(router), 'nft', '-f', '-'], routerRules(masquerade));
  };
  const stop = () => {
    for (const place of made.splice(0)) run(['ip', 'netns', 'delete', name(place)]);
  };

  try {
    addNamespace('bridge');
    within('bridge', 'ip', 'link', 'add', 'br0', 'type', 'bridge');
    within('bridge', 'ip', 'link', 'set', 'br0', 'up');
    addNamespace('public');
    plugIn('public', `${PUBLIC_ADDRESS}/24`);
    home('router-a', HOST_ROUTER, 'host', '10.77.0.1', HOST_ADDRESS);
    home('router-b', VISITOR_ROUTER, 'visitor', '192.168.77.1', '192.168.77.2');
  } catch (error) {
    stop();
    throw error;
  }
  return { inside, run: within, stop };
};
