import { limits } from '../../shared/limits.ts';
import { bounds } from '../kit/limits.ts';
import { behindProxy, type Deployment } from './deployment.ts';

const tlsLine = ({ certificate, certificate_key }: Deployment): string =>
  certificate === undefined ? '' : `\ttls ${certificate} ${certificate_key ?? certificate}\n\n`;

/** Any coordinator serves any visitor; one that does not answer is passed over for some seconds. */
const upstreamsOf = ({ upstreams }: Deployment): string =>
  upstreams.length === 1
    ? (upstreams[0] ?? '')
    : `${upstreams.join(' ')} {\n\t\tlb_policy least_conn\n\t\tlb_try_duration 5s\n\t\tfail_duration 5s\n\t}`;

/** The site alone: Caddy gets the certificate by itself, and cannot tell TURN from TLS at its port. */
export const caddyfile = (deployment: Deployment): string => {
  const { host } = deployment;
  return `# /etc/caddy/Caddyfile, printed by "coordinator config caddy". For the site alone: TURN needs ports of its own here.
# ${behindProxy(deployment)}
# Caddy writes X-Forwarded-For by itself, whatever a caller says there. It does not count connections; the coordinator does
# (connections_per_address).
${host} {
${tlsLine(deployment)}\tlog {
\t\toutput file /var/log/caddy/vitrina.log
\t\t# Without what lets somebody in: tickets and codes stand in the query, invites in the path, keys in headers.
\t\tformat filter {
\t\t\twrap json
\t\t\tfields {
\t\t\t\trequest>uri regexp "^(/i/)[^?]*|\\?.*$" "$1-"
\t\t\t\trequest>headers delete
\t\t\t\tresp_headers delete
\t\t\t}
\t\t}
\t}

\t# Pictures of apps; the coordinator has smaller bounds of its own for everything else.
\trequest_body {
\t\tmax_size ${bounds.picture_bytes + limits.body_bytes}
\t}

\t@metrics path /metrics
\trespond @metrics 404

\treverse_proxy ${upstreamsOf(deployment)}
}
`;
};
