/** What the configuration of the programs around a coordinator depends on. */
export interface Deployment {
  /** The name that visitors type: "vitrina.example". */
  readonly host: string;
  /** Where the coordinator of this machine listens. */
  readonly port: number;
  /** Where coordinators of the same database listen, as the proxy reaches them: one or more, "10.0.0.2:8080". */
  readonly upstreams: readonly string[];
  /** The data directory. */
  readonly data: string;
  /** The content of the file that `turn.secret_file` names. */
  readonly turn_secret: string | undefined;
  readonly realm: string;
  /** The public address of this machine: coturn listens there and gives its relays from there. */
  readonly address: string | undefined;
  /**
   * The name of TURN where it shares TCP 443 of one public address with the site: "turn.vitrina.example". The proxy then
   * tells the two apart, and TCP reaches coturn through it. Undefined: coturn has ports of its own.
   */
  readonly turn_host: string | undefined;
  /** How many TURN addresses each participant is given. */
  readonly turn_urls: number;
  /** PEM files; undefined: where certbot, or the step that the printed comment names, puts them. */
  readonly certificate: string | undefined;
  readonly certificate_key: string | undefined;
}

/** WebSockets and requests that one network may have open at a time: far above what a full house behind one NAT needs. */
export const connections_of_network = 200;

/** Longer than a long poll (25 s) and than the silence between two pings (3 s). */
export const silence_seconds = 60;

/** Ports of 127.0.0.1 between a proxy and what stands behind its port 443. */
export const inner_ports = {
  /** The site, after TURN has been taken out. */
  site: 8447,
  /** Where TLS for TURN ends. */
  turn_tls: 8448,
  /** coturn's tcp-proxy-port. Not 5350: that is coturn's second TLS port by default. */
  turn: 5370,
} as const;

/** Where certbot keeps a certificate. */
export const certbotFiles = (host: string) => ({
  certificate: `/etc/letsencrypt/live/${host}/fullchain.pem`,
  key: `/etc/letsencrypt/live/${host}/privkey.pem`,
});

/** What configuration.json needs behind any of the proxies. */
export const behindProxy = ({ host, upstreams }: Pick<Deployment, 'host' | 'upstreams'>): string => {
  const same = `"public_url": "https://${host}", "trusted_proxy_hops": 1`;
  return upstreams.length === 1
    ? `configuration.json needs: "ip": "127.0.0.1", ${same}`
    : `configuration.json of each needs: ${same}, a "coordinator_name" of its own, the same "redis_url",
# and as "ip" an address that this proxy reaches and nobody else: who comes past it is whom they say that they are.`;
};

/** TURN addresses for participants of the deployment, the one that costs least first. */
export const turnUrls = ({ host, turn_host }: Deployment): string[] =>
  turn_host === undefined
    ? [
        `turn:${host}:3478?transport=udp`,
        `turn:${host}:3478?transport=tcp`,
        `turns:${host}:5349?transport=tcp`,
      ]
    : [
        `turn:${host}:3478?transport=udp`,
        `turn:${host}:443?transport=tcp`,
        `turns:${turn_host}:443?transport=tcp`,
      ];
