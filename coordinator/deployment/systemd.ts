import type { Deployment } from './deployment.ts';

/** A path in a unit: quoted where it has to be, `%` doubled, so that systemd puts nothing in its place. */
const quoted = (path: string): string =>
  /^[\w./+@:-]+$/.test(path) ? path : `"${path.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`;

/** The same as a word of a command line, which has variables, too. */
const word = (path: string): string => quoted(path).replaceAll('$', '$$$$');

/** The unit of the coordinator. */
export const systemd = ({
  data,
  port,
}: Deployment): string => `# /etc/systemd/system/vitrina-coordinator.service, printed by "coordinator config systemd". Before it starts:
#   useradd --system vitrina; the data directory is there and belongs to it (chown -R vitrina:vitrina).
[Unit]
Description=Vitrina coordinator
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/local/bin/coordinator serve --data ${word(data)} --port ${port}
# DATABASE_URL=mysql://..., where the coordinator keeps its data in MySQL or MariaDB
EnvironmentFile=-/etc/vitrina/coordinator.env
User=vitrina
Group=vitrina
Restart=always
RestartSec=2
TimeoutStopSec=30
LimitNOFILE=65536
UMask=0077

# "systemd-analyze security" finds little left: the network, which it serves; /proc, which it measures itself by; and memory
# that is written and executed, which every JavaScript engine needs.
ReadWritePaths=${quoted(data)}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateIPC=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
NoNewPrivileges=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
CapabilityBoundingSet=${port < 1024 ? 'CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE' : ''}

[Install]
WantedBy=multi-user.target
`;
