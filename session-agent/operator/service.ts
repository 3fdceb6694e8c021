/** What a service of the operating system needs to know to run the agent. */
export interface Service {
  /** Absolute path of the compiled program. */
  executable: string;
  config: string;
  /** The folders that the agent writes to. */
  folders: readonly string[];
  /** The account that agent and apps run as. Left out: root on Linux, LocalSystem on Windows. */
  user?: string | undefined;
}

export const service_name = 'vitrina-agent';

/**
 * The agent ends with this code when another one is to take its place: `update` did that. No success, as a service manager
 * of Windows does not start again what ended well.
 */
export const handed_over_code = 75;

/** Tells the agent who starts it again when it ends. */
export const service_variable = 'VITRINA_SERVICE';

/** A word of a unit's command line: quoted, `%` doubled, `$` too, so that systemd puts nothing in its place. */
const word = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;

/** A path in a unit's list of paths, which has no variables. */
const path = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`;

/** Root's agent may run apps as others (runuser), look after those and read everybody's files; another account has no rights to begin with. */
const rights = (user: string | undefined): string =>
  user === undefined
    ? 'CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID CAP_SYS_PTRACE'
    : 'CapabilityBoundingSet=\nNoNewPrivileges=yes';

/** A unit for systemd. */
export const systemdUnit = ({
  executable,
  config,
  folders,
  user,
}: Service): string => `# ${service_name}.service, written by "session-agent install"; it will be written anew by the next one.
# Changes of your own belong into "systemctl edit ${service_name}".
[Unit]
Description=Vitrina session agent
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
# Loads NVIDIA's driver and makes its devices, with all rights: apps have none to do it. Fails where there is no such card.
ExecStartPre=-+/usr/bin/nvidia-modprobe -u -m
ExecStart=${word(executable)} run --config ${word(config)}
Environment=${service_variable}=systemd
${user === undefined ? '' : `User=${user}\n`}Restart=always
RestartSec=2
# The agent ends its sessions itself when it is stopped; when it dies or is updated they go on without it, and the next
# one takes them over. So systemd ends the agent alone, and an app that runs out of memory is the agent's business.
KillMode=process
OOMPolicy=continue
TimeoutStopSec=120
SuccessExitStatus=${handed_over_code}
LimitNOFILE=65536
LimitCORE=0
UMask=0027

# What does not get in the way of drivers and apps. Not here on purpose, whatever "systemd-analyze security" says of it:
# PrivateDevices, DevicePolicy and ProtectClock, which brings one (they hide the graphics cards), PrivateTmp (the socket of
# X is there), ProtectHome and ProtectSystem=strict (apps and their settings may be anywhere), MemoryDenyWriteExecute (engines
# compile), RestrictNamespaces (browsers in apps make sandboxes), RestrictRealtime (sound), ProtectProc (status sees all), and
# an allow list of system calls or addresses (nobody knows what an app will need).
${rights(user)}
PrivateMounts=yes
ProtectSystem=full
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictSUIDSGID=yes
SystemCallFilter=~@clock @module @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
ReadWritePaths=${folders.map((folder) => path(`-${folder}`)).join(' ')}

[Install]
WantedBy=multi-user.target
`;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const xml = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');

/** A word of a Windows command line as CommandLineToArgvW takes it apart. */
export const windowsWord = (text: string): string =>
  /^[^\s"]+$/.test(text) ? text : `"${text.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;

/** The configuration of WinSW (github.com/winsw/winsw), which makes a Windows service of a program. */
export const winswXml = ({
  executable,
  config,
  user,
}: Service): string => `<!-- ${service_name}.xml, written by "session-agent install"; it will be written anew by the next one. -->
<service>
  <id>${service_name}</id>
  <name>Vitrina session agent</name>
  <description>Starts Pixel Streaming sessions on this machine, at a coordinator's word.</description>
  <executable>${xml(executable)}</executable>
  <arguments>run --config ${xml(windowsWord(config))}</arguments>
  <env name="${service_variable}" value="winsw" />${
    user === undefined
      ? ''
      : `
  <serviceaccount>
    <username>${xml(user)}</username>
    <prompt>dialog</prompt>
    <allowservicelogon>true</allowservicelogon>
  </serviceaccount>`
  }
  <startmode>Automatic</startmode>
  <depend>Tcpip</depend>
  <onfailure action="restart" delay="2 sec" />
  <resetfailure>1 hour</resetfailure>
  <stoptimeout>120 sec</stoptimeout>
  <!-- The agent keeps a log of its own. -->
  <log mode="none" />
</service>
`;
