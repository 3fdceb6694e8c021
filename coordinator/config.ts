const everywhere = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';

/**
 * Where to listen for the `ip` of configuration.json. An address that is not this machine's own, as behind NAT, cannot
 * be listened on: then it is all addresses.
 */
export const listenAddress = (ip: string, own: readonly string[]): string =>
  everywhere(ip) || /^127\./.test(ip) || own.includes(ip) ? ip : '0.0.0.0';

/** The URL by which this machine itself reaches what listens there. */
export const localUrl = (address: string, port: number): string => {
  const host = everywhere(address) ? '127.0.0.1' : address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

/** What to tell the operator when the port cannot be listened on. */
export const listenFailure = (error: unknown, port: number): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return `Port ${port} is taken by another program. Stop that program, or choose another port: --port N, or "port" in configuration.json.`;
  }
  if (code === 'EACCES') {
    return `Port ${port} needs more rights: ports below 1024 are for root. Choose another port: --port N, or "port" in configuration.json.`;
  }
  return `Cannot listen on port ${port}: ${error instanceof Error ? error.message : String(error)}`;
};
