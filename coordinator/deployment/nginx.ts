import { limits } from '../../shared/limits.ts';
import { bounds } from '../kit/limits.ts';
import {
  behindProxy,
  certbotFiles,
  connections_of_network,
  type Deployment,
  inner_ports,
  silence_seconds,
} from './deployment.ts';

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
    proxy_read_timeout ${silence_seconds}s;
    proxy_send_timeout ${silence_seconds}s;`;

/** What a picture costs, as the coordinator itself counts it. */
const largest_body = bounds.picture_bytes + limits.body_bytes;

const filesOf = ({ host, certificate, certificate_key }: Deployment) => {
  const usual = certbotFiles(host);
  return { certificate: certificate ?? usual.certificate, key: certificate_key ?? usual.key };
};

const listening = ({ turn_host }: Deployment): string =>
  turn_host === undefined
    ? `listen 443 ssl http2;
  listen [::]:443 ssl http2;`
    : `# Port 443 is the door's (coordinator config nginx-stream), which says who calls.
  listen 127.0.0.1:${inner_ports.site} ssl http2 proxy_protocol;
  set_real_ip_from 127.0.0.1;
  real_ip_header proxy_protocol;`;

const advice = ({ host, turn_host }: Deployment): string => {
  const names = turn_host === undefined ? `-d ${host}` : `-d ${host} -d ${turn_host}`;
  return `# The certificate, before and after this file is there:
#   certbot certonly --webroot -w /var/www/html ${names} --deploy-hook "systemctl reload nginx"
# Each visitor costs ${turn_host === undefined ? 'two' : 'four'} connections here, and Debian's nginx.conf allows 768. In /etc/nginx/nginx.conf:
#   worker_rlimit_nofile 32768;  (at the top)   and   worker_connections 16384;  (in events)`;
};

const turnAdvice = ({ host, turn_host }: Deployment): string =>
  turn_host === undefined
    ? `# TURN on port 443 of the same address, too: print this with --turn_host turn.${host}.`
    : `# The door in front of it: coordinator config nginx-stream --host ${host} --turn_host ${turn_host}`;

/** Any coordinator serves any visitor; one that does not answer is passed over for some seconds. */
const servers = ({ upstreams }: Deployment): string =>
  upstreams.length === 1
    ? `server ${upstreams[0]};`
    : [
        'zone vitrina 64k;',
        'least_conn;',
        ...upstreams.map((one) => `server ${one} max_fails=1 fail_timeout=5s;`),
      ].join('\n  ');

/** The site: TLS, WebSockets, limits. */
export const nginxSite = (deployment: Deployment): string => {
  const { host } = deployment;
  const { certificate, key } = filesOf(deployment);
  return `# /etc/nginx/conf.d/vitrina.conf, printed by "coordinator config nginx".
# ${behindProxy(deployment)}
${turnAdvice(deployment)}
${advice(deployment)}

upstream vitrina {
  ${servers(deployment)}
  keepalive 32;
}

# Who has one IPv6 address has all of its /64.
map $binary_remote_addr $vitrina_network {
  "~(?s)^(?<vitrina_prefix>.{8}).{8}$" $vitrina_prefix;
  default $binary_remote_addr;
}
limit_conn_zone $vitrina_network zone=vitrina_networks:10m;
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
  access_log /var/log/nginx/vitrina.log vitrina;
  error_log /var/log/nginx/vitrina-error.log crit;
  location / {
    return 301 https://${host}$request_uri;
  }
  location /.well-known/acme-challenge/ {
    root /var/www/html;
  }
}

server {
  ${listening(deployment)}
  server_name ${host};
  ssl_certificate ${certificate};
  ssl_certificate_key ${key};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:vitrina_tls:10m;

  access_log /var/log/nginx/vitrina.log vitrina;
  # Below "crit" nginx quotes whole requests, with tickets and invites.
  error_log /var/log/nginx/vitrina-error.log crit;
  # Pictures of apps; the coordinator has smaller bounds of its own for everything else.
  client_max_body_size ${largest_body};
  client_body_timeout 15s;
  client_header_timeout 15s;
  limit_conn vitrina_networks ${connections_of_network};
  limit_conn_status 429;
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

/** The door at port 443 that tells TURN from the site. A block of the main level: it cannot stand in conf.d. */
export const nginxStream = (deployment: Deployment): string => {
  const { host, turn_host = '' } = deployment;
  const { certificate, key } = filesOf(deployment);
  return `# /etc/nginx/modules-enabled/60-vitrina.conf, printed by "coordinator config nginx-stream": site and TURN on port 443 of one
# address. It needs Debian's package libnginx-mod-stream, and what these print:
#   coordinator config nginx --host ${host} --turn_host ${turn_host}
#   coordinator config coturn --host ${host} --turn_host ${turn_host}
# ${turn_host} is a second name of the same address, and the certificate is for both.

stream {
  map $ssl_preread_protocol/$ssl_preread_server_name $vitrina_door {
    # No TLS: TURN over plain TCP.
    ~^/ vitrina_turn;
    ~*^[^/]+/${turn_host.replaceAll('.', '\\.')}$ vitrina_turn_tls;
    # Any other name, and no name at all.
    default vitrina_site;
  }
  upstream vitrina_site {
    server 127.0.0.1:${inner_ports.site};
  }
  upstream vitrina_turn {
    server 127.0.0.1:${inner_ports.turn};
  }
  upstream vitrina_turn_tls {
    server 127.0.0.1:${inner_ports.turn_tls};
  }

  server {
    listen 443 so_keepalive=on;
    listen [::]:443 so_keepalive=on;
    ssl_preread on;
    preread_timeout 10s;
    # Who calls: the site and coturn are told so by a PROXY header.
    proxy_protocol on;
    proxy_timeout 10m;
    proxy_pass $vitrina_door;
  }

  # coturn takes PROXY headers or TLS, not both: TLS ends here.
  server {
    listen 127.0.0.1:${inner_ports.turn_tls} ssl proxy_protocol;
    set_real_ip_from 127.0.0.1;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:vitrina_turn_tls:10m;
    proxy_protocol on;
    proxy_timeout 10m;
    proxy_pass vitrina_turn;
  }
}
`;
};
