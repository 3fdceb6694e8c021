/** What a Host header may say (RFC 9112, 3.2): one name or address, and perhaps a port. */
const host_header = /^(?:\[[\da-f:.]+\]|[\w-][\w.-]*)(?::\d{1,5})?$/i;

/** The name without the dot at its end: `name.` is `name`, written out in full. */
export const withoutFinalDot = (host: string): string => host.replace(/(?<=.)\.(?=:\d+$|$)/, '');

/**
 * The address that a request asks for, its host without a final dot. A request of HTTP/1.0 may leave the Host header out,
 * and one of HTTP/1.1 may leave it empty: it names nobody else, so `localhost`. Undefined for a request that nobody can
 * answer: two Host headers (they arrive as one, with a comma), a Host that makes no address, CONNECT.
 */
export const requestUrl = (request: Request): URL | undefined => {
  const host = request.headers.get('host') ?? '';
  if (host !== '' && !(host_header.test(host) && URL.canParse(`http://${host}`))) return undefined;
  const url = URL.parse(request.url.startsWith('/') ? `http://localhost${request.url}` : request.url);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  url.hostname = withoutFinalDot(url.hostname);
  return url;
};
