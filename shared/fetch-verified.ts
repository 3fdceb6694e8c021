type Init = NonNullable<Parameters<typeof fetch>[1]> & { tls?: { ca?: string; serverName?: string } };

/**
 * `fetch` that speaks only to whom it has verified, whatever NODE_TLS_REJECT_UNAUTHORIZED says. `tls.ca` is PEM: only these
 * authorities are trusted then, instead of the system's.
 */
export const fetchVerified = (url: string | URL, { tls, ...init }: Init): Promise<Response> =>
  fetch(url, { ...init, tls: { ...tls, rejectUnauthorized: true } });
