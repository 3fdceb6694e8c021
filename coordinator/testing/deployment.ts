import type { Deployment } from '../deployment/deployment.ts';

/** A deployment like most. */
export const sampleDeployment: Deployment = {
  host: 'vitrina.example',
  port: 8080,
  upstreams: ['127.0.0.1:8080'],
  data: '/var/lib/vitrina',
  turn_secret: 'north',
  realm: 'vitrina.example',
  address: '192.0.2.1',
  turn_host: undefined,
  turn_urls: 3,
  certificate: undefined,
  certificate_key: undefined,
};
