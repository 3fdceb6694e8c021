import { caddyfile } from './caddy.ts';
import { coturn } from './coturn.ts';
import type { Deployment } from './deployment.ts';
import { haproxy } from './haproxy.ts';
import { nginxSite, nginxStream } from './nginx.ts';
import { systemd } from './systemd.ts';

/** What `config` prints for: nginx-stream is the part of nginx that lets TURN share port 443 with the site. */
export const programs = ['nginx', 'nginx-stream', 'haproxy', 'caddy', 'coturn', 'systemd'] as const;
export type Program = (typeof programs)[number];

type Made = { text: string } | { missing: string };

const turn = (deployment: Deployment): Made => {
  const { address, turn_secret } = deployment;
  if (turn_secret === undefined) {
    return {
      missing:
        'coturn and the coordinator share a secret. Make one: (umask 077; openssl rand -base64 32 > turn.secret); then name it: --secret_file FILE, or "turn" in configuration.json.',
    };
  }
  if (address === undefined) {
    return { missing: 'Say the public address that coturn listens on: --address IP.' };
  }
  return { text: coturn(deployment, address, turn_secret) };
};

/** The configuration file of the program, ready to be stored. A sentence says what is missing for it. */
export const deploymentFile = (program: Program, deployment: Deployment): Made => {
  if (program === 'systemd') return { text: systemd(deployment) };
  if (deployment.host === '') {
    return {
      missing: 'Say the name that visitors type: --host NAME, or "public_url" in configuration.json.',
    };
  }
  switch (program) {
    case 'nginx':
      return { text: nginxSite(deployment) };
    case 'nginx-stream':
      return deployment.turn_host === undefined
        ? {
            missing: `Say the name of TURN, a second name of the same address: --turn_host turn.${deployment.host}`,
          }
        : { text: nginxStream(deployment) };
    case 'haproxy':
      return { text: haproxy(deployment) };
    case 'caddy':
      return { text: caddyfile(deployment) };
    case 'coturn':
      return turn(deployment);
  }
};
