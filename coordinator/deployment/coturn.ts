import { limits } from '../../shared/limits.ts';
import { type Deployment, inner_ports, turnUrls } from './deployment.ts';

/** What no participant may reach through the relay: this machine and private networks, in every spelling. */
const denied_peers = [
  '0.0.0.0-0.255.255.255',
  '10.0.0.0-10.255.255.255',
  '100.64.0.0-100.127.255.255',
  '127.0.0.0-127.255.255.255',
  '169.254.0.0-169.254.255.255',
  '172.16.0.0-172.31.255.255',
  '192.0.0.0-192.0.0.255',
  '192.168.0.0-192.168.255.255',
  '198.18.0.0-198.19.255.255',
  '240.0.0.0-255.255.255.255',
  '::1',
  'fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  'fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  '::ffff:0.0.0.0-::ffff:255.255.255.255',
  '64:ff9b::-64:ff9b::ffff:ffff',
  '2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
];

/** Relays that libwebrtc takes for a moment from each usable TURN address and for each viewer; it keeps one of them. */
const relays_of_url = 3;

/**
 * Relays that one credential may have at a time. The app of a session has one credential for all of its viewers, so it is
 * sized by the members of a full session and the addresses that each of them is given.
 */
export const userQuota = (turn_urls: number): number => relays_of_url * turn_urls * limits.participants;

const relay_ports = { from: 49_152, to: 65_535 } as const;

const certificateLines = ({ host, certificate, certificate_key }: Deployment): string => {
  const files = {
    certificate: certificate ?? '/etc/coturn/fullchain.pem',
    key: certificate_key ?? '/etc/coturn/privkey.pem',
  };
  const step =
    certificate === undefined
      ? `# coturn runs as "turnserver", which may not read certbot's files. As certbot's deploy hook, and once by hand:
#   cd /etc/letsencrypt/live/${host} && install -D -m 640 -g turnserver -t /etc/coturn fullchain.pem privkey.pem
#   systemctl restart coturn
`
      : '';
  return `tls-listening-port=5349
${step}cert=${files.certificate}
pkey=${files.key}
no-tlsv1
no-tlsv1_1`;
};

/** Behind a proxy that shares port 443: it speaks to coturn here, with PROXY headers, in the place of TCP and TLS. */
const behindDoor = `# TCP and TLS come from the proxy, with who calls in a PROXY header; TLS ends in the proxy. This replaces coturn's own TCP
# listeners. It listens on the public address, too: whoever reached it there could forge addresses, so close it:
#   nft 'add table inet vitrina; add chain inet vitrina input { type filter hook input priority 0; }; add rule inet vitrina input iifname != "lo" tcp dport ${inner_ports.turn} drop'
# (and the same, as a table, in /etc/nftables.conf, so that it is there after a restart)
tcp-proxy-port=${inner_ports.turn}
no-tls`;

/** coturn; the address and the secret have to be known. */
export const coturn = (deployment: Deployment, address: string, secret: string): string => {
  const { realm, turn_host, turn_urls } = deployment;
  const listening = turn_host === undefined ? [address] : ['127.0.0.1', address];
  const urls = turnUrls(deployment).map((url) => `"${url}"`);
  return `# /etc/turnserver.conf, printed by "coordinator config coturn". It holds a secret: chmod 640, chown root:turnserver.
# configuration.json needs: "turn": {"urls": [${urls.join(',\n#   ')}],
#   "secret_file": "<the file with the same secret>"}
# The firewall lets in UDP 3478${turn_host === undefined ? ', TCP 3478 and 5349' : ' and TCP 443'}, and UDP ${relay_ports.from}-${relay_ports.to}.
use-auth-secret
static-auth-secret=${secret}
realm=${realm}
${listening.map((one) => `listening-ip=${one}`).join('\n')}
# Always said: otherwise relays are given on whatever address coturn finds, on 127.0.0.1 for one.
relay-ip=${address}
# Only where the public address is that of a NAT in front of this machine:
# external-ip=<the public address>/${address}
listening-port=3478
${turn_host === undefined ? certificateLines(deployment) : behindDoor}
no-dtls
min-port=${relay_ports.from}
max-port=${relay_ports.to}
fingerprint
no-cli
no-rfc5780
no-multicast-peers
no-tcp-relay
# One credential serves all viewers of a session on the app's side: ${limits.participants} members, ${turn_urls} addresses in turn.urls, and
# browsers' engines take ${relays_of_url} relays from each for a moment. Print this anew when turn.urls has more.
user-quota=${userQuota(turn_urls)}
# Each relay takes a port.
total-quota=${relay_ports.to - relay_ports.from + 1}
max-bps=6000000
stale-nonce=600
log-file=stdout
${denied_peers.map((range) => `denied-peer-ip=${range}`).join('\n')}
# Only where a host of yours has no public address and is reached at a private one from here:
# allowed-peer-ip=<that host's address>
`;
};
