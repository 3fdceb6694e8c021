import { join, resolve } from 'node:path';
import { describeProblem, readConfig } from '../shared/config.ts';
import { readText } from '../shared/text-file.ts';
import { type Configuration, configurationSchema } from './store/configuration-file.ts';

/** What `config` is told besides configuration.json. */
export interface DeploymentFlags {
  /** The data directory. */
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly secret_file?: string | undefined;
  readonly address?: string | undefined;
}

/** What the configuration of the programs around a coordinator depends on. */
export interface Deployment {
  /** The name that visitors type: "vitrina.example". */
  readonly host: string;
  /** Where the coordinator listens. */
  readonly port: number;
  /** The data directory. */
  readonly data: string;
  /** The content of the file that `turn.secret_file` names. */
  readonly turn_secret: string | undefined;
  readonly realm: string;
  /** The address of this machine that coturn listens on; all of its addresses when left out. */
  readonly address: string | undefined;
}

export const deployments = ['nginx', 'coturn', 'systemd'] as const;
export type Program = (typeof deployments)[number];

const certificates = (host: string) => ({
  certificate: `/etc/letsencrypt/live/${host}/fullchain.pem`,
  key: `/etc/letsencrypt/live/${host}/privkey.pem`,
});

/** A directive at one level hides all of those around it, so each location has them all. */
const forwarded = (connection: string): string => `proxy_pass http://vitrina;
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    # Overwritten, not appended to: what a caller writes there must not count.
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Host "";
    proxy_set_header Forwarded "";
    ${connection}
    proxy_buffering off;
    # Longer than a long poll (25 s) and than the silence between two pings (3 s).
    proxy_read_timeout 60s;
    proxy_send_timeout 60s;`;

const nginx = ({ host, port }: Deployment): string => {
  const { certificate, key } = certificates(host);
  return `# /etc/nginx/conf.d/vitrina.conf, printed by "coordinator config nginx".
# configuration.json needs: "ip": "127.0.0.1", "public_url": "https://${host}", "trusted_proxy_hops": 1

upstream vitrina {
  server 127.0.0.1:${port};
  keepalive 32;
}

limit_conn_zone $binary_remote_addr zone=vitrina:10m;
# Without what lets somebody in: tickets and codes stand in the query, invites in the path.
map $uri $vitrina_uri {
  ~^/i/ /i/-;
  default $uri;
}
log_format vitrina '$remote_addr [$time_iso8601] "$request_method $vitrina_uri" $status $body_bytes_sent $request_time';

server {
  listen 80;
  listen [::]:80;
  server_name ${host};
  return 301 https://${host}$request_uri;
}

server {
  listen 443 ssl http2;
  listen [::]:443 ssl http2;
  server_name ${host};
  ssl_certificate ${certificate};
  ssl_certificate_key ${key};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:vitrina:10m;

  access_log /var/log/nginx/vitrina.log vitrina;
  client_max_body_size 64k;
  client_body_timeout 15s;
  client_header_timeout 15s;
  limit_conn vitrina 200;
  # Scripts and styles only: answers with secrets in them are not compressed.
  gzip on;
  gzip_types text/css text/javascript image/svg+xml;

  # WebSockets: the verbs, the hosts' agents, players' signalling.
  location ~ ^/(ws|agent|api/v1/sessions/[^/]+/signalling)$ {
    ${forwarded('proxy_set_header Upgrade $http_upgrade;\n    proxy_set_header Connection "upgrade";')}
  }

  location / {
    ${forwarded('proxy_set_header Connection "";')}
  }

  location = /metrics {
    return 404;
  }
}
`;
};

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

const coturn = ({ host, realm, turn_secret, address }: Deployment): string => {
  const { certificate, key } = certificates(host);
  const listening =
    address === undefined
      ? '# listening-ip=<the address of this machine; behind NAT add external-ip=PUBLIC/PRIVATE>\n# relay-ip=<the same>'
      : `listening-ip=${address}\nrelay-ip=${address}`;
  return `# /etc/turnserver.conf, printed by "coordinator config coturn". It holds a secret: chmod 640, chown root:turnserver.
# configuration.json needs: "turn": {"urls": ["turn:${host}:3478?transport=udp", "turn:${host}:3478?transport=tcp",
#   "turns:${host}:5349?transport=tcp"], "secret_file": "<the file with the same secret>"}
use-auth-secret
static-auth-secret=${turn_secret}
realm=${realm}
${listening}
listening-port=3478
tls-listening-port=5349
cert=${certificate}
pkey=${key}
no-tlsv1
no-tlsv1_1
fingerprint
no-cli
no-multicast-peers
no-tcp-relay
user-quota=8
total-quota=400
max-bps=6000000
stale-nonce=600
${denied_peers.map((range) => `denied-peer-ip=${range}`).join('\n')}
# Only where a host of yours has no public address and is reached at a private one from here:
# allowed-peer-ip=<that host's address>
`;
};

const systemd = ({
  data,
  port,
}: Deployment): string => `# /etc/systemd/system/vitrina-coordinator.service, printed by "coordinator config systemd".
[Unit]
Description=Vitrina coordinator
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/local/bin/coordinator serve --data ${data} --port ${port}
# DATABASE_URL=mysql://..., where the coordinator keeps its data in MySQL or MariaDB
EnvironmentFile=-/etc/vitrina/coordinator.env
User=vitrina
Group=vitrina
Restart=always
RestartSec=2
TimeoutStopSec=30
LimitNOFILE=65536

ReadWritePaths=${data}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictSUIDSGID=yes
LockPersonality=yes
NoNewPrivileges=yes
CapabilityBoundingSet=${port < 1024 ? 'CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE' : ''}

[Install]
WantedBy=multi-user.target
`;

/** The configuration file of the program, ready to be stored. A sentence says what is missing for it. */
export const deploymentFile = (
  program: Program,
  deployment: Deployment,
): { text: string } | { missing: string } => {
  if (program === 'systemd') return { text: systemd(deployment) };
  if (deployment.host === '') {
    return {
      missing: 'Say the name that visitors type: --host NAME, or "public_url" in configuration.json.',
    };
  }
  if (program === 'nginx') return { text: nginx(deployment) };
  if (deployment.turn_secret !== undefined) return { text: coturn(deployment) };
  return {
    missing:
      'coturn and the coordinator share a secret. Make one: openssl rand -base64 32 > turn.secret; then name it: --secret_file FILE, or "turn" in configuration.json.',
  };
};

const default_data = '/var/lib/vitrina';
const default_port = 8080;

const secretOf = async (file: string | undefined): Promise<string | undefined> => {
  if (file === undefined) return undefined;
  const text = (await readText(file)).trim();
  return text === '' ? undefined : text;
};

const deploymentOf = async (
  flags: DeploymentFlags,
  configuration: Partial<Configuration>,
): Promise<Deployment> => {
  const { data = default_data, address } = flags;
  const { public_url, port = default_port, turn } = configuration;
  const host = flags.host ?? (public_url === undefined ? '' : new URL(public_url).hostname);
  const named = turn === undefined ? undefined : resolve(data, turn.secret_file);
  return {
    host,
    port: flags.port ?? port,
    data: resolve(data),
    address,
    realm: turn?.realm ?? host,
    turn_secret: await secretOf(flags.secret_file ?? named),
  };
};

/** The address that configuration.json of the data directory gives to the coordinator; undefined when it gives none. */
export const publicUrl = async (data: string): Promise<string | undefined> => {
  const read = await readConfig(join(data, 'configuration.json'), configurationSchema);
  return 'value' in read ? read.value.public_url : undefined;
};

/** `coordinator config`: the file on standard output, what is wrong to `say`. Gives the exit code. */
export const printDeployment = async (
  program: Program,
  flags: DeploymentFlags,
  say: (text: string) => void,
): Promise<number> => {
  const read =
    flags.data === undefined
      ? { value: {} }
      : await readConfig(join(flags.data, 'configuration.json'), configurationSchema);
  if ('problems' in read) {
    for (const problem of read.problems) say(describeProblem(problem));
    return 1;
  }
  try {
    const made = deploymentFile(program, await deploymentOf(flags, read.value));
    if ('text' in made) process.stdout.write(made.text);
    else say(made.missing);
    return 'text' in made ? 0 : 1;
  } catch (error) {
    say(`The secret cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
};
