import { expect, test } from 'bun:test';
import { sampleDeployment } from '../testing/deployment.ts';
import type { Deployment } from './deployment.ts';
import { deploymentFile, type Program, programs } from './programs.ts';

const printedFor = (program: Program, changes: Partial<Deployment> = {}): string => {
  const made = deploymentFile(program, { ...sampleDeployment, ...changes });
  return 'text' in made ? made.text : `missing: ${made.missing}`;
};

const turn_host = 'turn.vitrina.example';

test('deploymentFile() says what is missing', () => {
  for (const program of programs) {
    if (program !== 'systemd') expect(printedFor(program, { host: '', turn_host })).toContain('--host NAME');
  }
  expect(printedFor('coturn', { turn_secret: undefined })).toContain('openssl rand');
  expect(printedFor('coturn', { address: undefined })).toContain('--address IP');
  expect(printedFor('nginx-stream')).toContain('--turn_host turn.vitrina.example');
  expect(printedFor('systemd', { host: '', turn_secret: undefined })).toContain('[Service]');
});

test('deploymentFile() of every proxy overwrites what callers forward and writes no ticket, code or invite down', () => {
  for (const program of ['nginx', 'haproxy', 'caddy'] as const) {
    const text = printedFor(program);
    expect(text).toContain(
      '"ip": "127.0.0.1", "public_url": "https://vitrina.example", "trusted_proxy_hops": 1',
    );
    expect(text).toContain('127.0.0.1:8080');
    expect(text).not.toMatch(/proxy_add_x_forwarded_for|option forwardfor/);
    expect(text).not.toMatch(/log.format.*(request_uri|\$args|\$request"|%HU|%r\b)/);
    expect(text).toContain('/metrics');
  }
});

test('deploymentFile() of the door and of coturn agree about ports and names', () => {
  const coturn = printedFor('coturn', { turn_host });
  for (const program of ['nginx-stream', 'haproxy'] as const) {
    expect(printedFor(program, { turn_host })).toContain('127.0.0.1:5370');
  }
  expect(coturn.split('\n')).toContain('tcp-proxy-port=5370');
  for (const url of [
    'turn:vitrina.example:3478?transport=udp',
    'turn:vitrina.example:443?transport=tcp',
    'turns:turn.vitrina.example:443?transport=tcp',
  ]) {
    expect(coturn).toContain(`"${url}"`);
  }
});
