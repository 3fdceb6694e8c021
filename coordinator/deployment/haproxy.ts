import {
  behindProxy,
  certbotFiles,
  connections_of_network,
  type Deployment,
  inner_ports,
  silence_seconds,
} from './deployment.ts';

const usual_certificate = '/etc/haproxy/vitrina.pem';

const certificateSteps = ({ host, turn_host, certificate }: Deployment): string => {
  if (certificate !== undefined) return `# ${certificate} holds the certificates and their key, in one file.`;
  const names = turn_host === undefined ? `-d ${host}` : `-d ${host} -d ${turn_host}`;
  const { certificate: chain, key } = certbotFiles(host);
  return `# The certificate, before haproxy runs: certbot certonly --standalone ${names}
# Both parts in one file, now and as certbot's deploy hook (/etc/letsencrypt/renewal-hooks/deploy/vitrina, executable):
#   #!/bin/sh
#   umask 077; cat ${chain} ${key} > ${usual_certificate}; systemctl reload haproxy
# From then on certbot is called through haproxy: echo 'http-01-port = 8888' >> /etc/letsencrypt/cli.ini`;
};

const everywhere = (port: number, rest = ''): string =>
  `bind 0.0.0.0:${port}${rest}\n  bind [::]:${port} v6only${rest}`;

/** The door at port 443 that tells TURN from the site, and what ends TLS for TURN. */
const door = (turn_host: string, certificate: string): string => `
# Port 443: TURN over plain TCP, TURN over TLS by its name, and the site.
frontend vitrina_door
  mode tcp
  option clitcpka
  ${everywhere(443)}
  timeout client 10m
  tcp-request inspect-delay 10s
  tcp-request content accept if { req.ssl_hello_type 1 }
  tcp-request content accept if { req.len gt 2 } !{ req.ssl_hello_type gt 0 }
  use_backend vitrina_turn if { req.len gt 2 } !{ req.ssl_hello_type gt 0 }
  use_backend vitrina_turn_tls if { req.ssl_sni -i ${turn_host} }
  default_backend vitrina_site

backend vitrina_site
  mode tcp
  timeout server 10m
  server inner abns@vitrina-site send-proxy-v2

backend vitrina_turn_tls
  mode tcp
  timeout server 10m
  server inner abns@vitrina-turn send-proxy-v2

# coturn takes PROXY headers or TLS, not both: TLS ends here.
frontend vitrina_turn_end
  mode tcp
  timeout client 10m
  bind abns@vitrina-turn accept-proxy ssl crt ${certificate}
  default_backend vitrina_turn

backend vitrina_turn
  mode tcp
  timeout server 10m
  server coturn 127.0.0.1:${inner_ports.turn} send-proxy-v2
`;

const turnAdvice = ({ host, turn_host }: Deployment): string =>
  turn_host === undefined
    ? `# TURN on port 443 of the same address, too: print this with --turn_host turn.${host}.`
    : `# coturn behind it: coordinator config coturn --host ${host} --turn_host ${turn_host}
# ${turn_host} is a second name of the same address, and the certificate is for both.`;

/** Any coordinator serves any visitor; what one of them has not taken goes to another. */
const servers = ({ upstreams }: Deployment): string =>
  upstreams.length === 1
    ? `server coordinator ${upstreams[0]} check inter 2s`
    : [
        'balance leastconn',
        'option redispatch 1',
        ...upstreams.map((one, at) => `server coordinator-${at + 1} ${one} check inter 2s`),
      ].join('\n  ');

/** The whole file: the site, and TURN on the same port if it has a name. */
export const haproxy = (deployment: Deployment): string => {
  const { host, turn_host, certificate = usual_certificate } = deployment;
  const tls = ` ssl crt ${certificate} alpn h2,http/1.1`;
  const listening =
    turn_host === undefined ? everywhere(443, tls) : `bind abns@vitrina-site accept-proxy${tls}`;
  return `# /etc/haproxy/haproxy.cfg, printed by "coordinator config haproxy".
# ${behindProxy(deployment)}
${turnAdvice(deployment)}
${certificateSteps(deployment)}

global
  log /dev/log local0
  chroot /var/lib/haproxy
  user haproxy
  group haproxy
  # Connections are bounded by the files that the service may open, and by this.
  fd-hard-limit 65536
  ssl-default-bind-options ssl-min-ver TLSv1.2
  tune.ssl.default-dh-param 2048

defaults
  log global
  mode http
  option dontlognull
  timeout connect 5s
  timeout http-request 15s
  # Longer than a long poll and than the silence between two pings.
  timeout client ${silence_seconds}s
  timeout server ${silence_seconds}s
  timeout tunnel ${silence_seconds}s

frontend vitrina_plain
  ${everywhere(80)}
  http-request redirect prefix https://${host} code 301 unless { path_beg /.well-known/acme-challenge/ }
  default_backend vitrina_certbot

backend vitrina_certbot
  server certbot 127.0.0.1:8888
${turn_host === undefined ? '' : door(turn_host, certificate)}
frontend vitrina
  ${listening}
  # By network: who has one IPv6 address has all of its /64.
  stick-table type ipv6 size 100k expire ${silence_seconds}s store conn_cur
  tcp-request session track-sc0 src,ipmask(32,64)
  # Without what lets somebody in: tickets and codes stand in the query, invites in the path.
  http-request set-var(txn.path) path,regsub(^/i/.*,/i/-)
  log-format '%ci [%tr] "%HM %[var(txn.path)]" %ST %B %Tt'
  http-request deny deny_status 429 if { sc0_conn_cur gt ${connections_of_network} }
  # What a caller writes there must not count.
  http-request set-header X-Forwarded-For %[src]
  http-request del-header X-Forwarded-Host
  http-request del-header Forwarded
  http-request return status 404 if { path /metrics }
  default_backend vitrina_coordinator

backend vitrina_coordinator
  option httpchk
  http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host ${host}
  http-check expect status 200
  ${servers(deployment)}
`;
};
