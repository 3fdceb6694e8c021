import type { Options } from '../options.ts';

/**
 * Where a request comes from: the peer of the TCP connection or, behind a known number of proxies, what the outermost of
 * those wrote into X-Forwarded-For. What a client writes there itself stands further left and is not believed.
 */
export const remoteAddress = (request: Request, peer: string, options: Options): string => {
  if (!options.reverse_proxy) return peer;
  const hops = (request.headers.get('x-forwarded-for') ?? '').split(',').map((hop) => hop.trim());
  return hops.at(-options.reverse_proxy_num_proxies) || peer;
};
