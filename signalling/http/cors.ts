import type { Options } from '../options.ts';

/** The headers that let a page of another site read an answer; none when CORS is off or the site is not allowed. */
export const corsHeaders = (request: Request, options: Options): Record<string, string> => {
  const origin = request.headers.get('origin');
  if (!options.cors || origin === null) return {};
  const {
    cors_allowed_origins: allowed,
    cors_allowed_methods: methods,
    cors_allowed_headers: names,
  } = options;
  if (allowed.length > 0 && !allowed.includes(origin)) return { vary: 'origin' };
  const asked = request.headers.get('access-control-request-headers') ?? '';
  return {
    vary: 'origin',
    'access-control-allow-origin': allowed.length === 0 ? '*' : origin,
    'access-control-allow-methods': methods.length === 0 ? 'GET, HEAD, OPTIONS' : methods.join(', '),
    'access-control-allow-headers': names.length === 0 ? asked : names.join(', '),
    ...(options.cors_credentials ? { 'access-control-allow-credentials': 'true' } : {}),
  };
};
