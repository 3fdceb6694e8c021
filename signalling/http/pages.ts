import { callerAddress } from '../../shared/caller-address.ts';
import type { Clock } from '../../shared/clock.ts';
import { requestUrl } from '../../shared/request-url.ts';
import type { Config } from '../config.ts';
import { trustedProxies } from '../options.ts';
import type { Signalling } from '../server.ts';
import { corsHeaders } from './cors.ts';
import { createLimiter } from './limiter.ts';
import { restAnswer } from './rest.ts';
import { staticAnswer } from './static-files.ts';

/** As Epic's server sends them, and only over HTTPS like it. */
const httpsHeaders: Record<string, string> = {
  'strict-transport-security': 'max-age=15552000; includeSubDomains',
  'content-security-policy': [
    "default-src 'self'",
    "base-uri 'self'",
    "connect-src * 'self'",
    "font-src 'self' https: data:",
    "form-action 'self'",
    "frame-ancestors 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "script-src 'self'",
    "script-src-attr 'none'",
    "style-src 'self' https: 'unsafe-inline'",
  ].join(';'),
};

const plain = (status: number, text: string, headers: Record<string, string> = {}): Response =>
  new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } });

/** The same address over HTTPS. */
const redirected = ({ hostname, pathname, search }: URL, https_port: number): Response => {
  const port = https_port === 443 ? '' : `:${https_port}`;
  return new Response(null, {
    status: 301,
    headers: { location: `https://${hostname}${port}${pathname}${search}` },
  });
};

/** Behind `/` is the homepage or, where there is none, the index file of the folder. */
const staticPage = async (request: Request, { options }: Config, url: URL): Promise<Response> => {
  const { http_root, homepage } = options;
  const page = url.pathname === '/' ? { pathname: `/${homepage}`, search: '' } : url;
  const answer =
    (await staticAnswer(request, http_root, page)) ?? (await staticAnswer(request, http_root, url));
  if (answer !== undefined) return answer;
  return url.pathname === '/'
    ? plain(404, `There is no ${homepage} in the folder of the pages (--http_root, --homepage).`)
    : plain(404, 'There is no such page.');
};

/** Answers to plain HTTP requests on the ports of players. `secure` is the HTTPS port's. */
export const createPages = (config: Config, signalling: Signalling, clock: Clock) => {
  const { options } = config;
  const started = clock.monotonic();
  const admit = createLimiter(clock);
  const serves = options.serve || options.rest_api || options.metrics;

  const answer = async (request: Request, url: URL): Promise<Response> => {
    const { pathname } = url;
    if (request.method === 'OPTIONS' && options.cors) return new Response(null, { status: 204 });
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return plain(405, 'Only GET.', { allow: 'GET, HEAD' });
    const uptime_ms = clock.monotonic() - started;
    if (options.metrics && pathname === '/metrics') {
      return new Response(signalling.metrics.page(signalling.registry, uptime_ms), {
        headers: { 'content-type': 'text/plain; version=0.0.4' },
      });
    }
    const rest = options.rest_api
      ? restAnswer(pathname, { config, registry: signalling.registry, uptime_ms })
      : undefined;
    if (rest !== undefined) return rest;
    return options.serve ? staticPage(request, config, url) : plain(404, 'There is no such page.');
  };

  return async (request: Request, peer: string, secure: boolean): Promise<Response> => {
    const url = requestUrl(request);
    if (url === undefined) return plain(400, 'Bad Request: the Host header.');
    if (!secure && options.https && options.https_redirect) {
      // Without a Host header nobody knows where that is.
      return request.headers.get('host') ? redirected(url, options.https_port) : plain(400, 'Bad Request');
    }
    if (!serves) return plain(426, 'This port speaks WebSocket.', { upgrade: 'websocket' });
    const forwarded = request.headers.get('x-forwarded-for');
    if (!admit(callerAddress(forwarded, peer, trustedProxies(options))))
      return plain(429, 'Too many requests.', { 'retry-after': '60' });
    const response = await answer(request, url);
    const headers = { ...corsHeaders(request, options), ...(secure ? httpsHeaders : {}) };
    response.headers.set('x-content-type-options', 'nosniff');
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    return response;
  };
};
