type Environment = Readonly<Record<string, string | undefined>>;

/** Programs have never agreed on the case of these names. */
const variable = (environment: Environment, name: string): string =>
  environment[name] || environment[name.toLowerCase()] || '';

const isSecure = (protocol: string): boolean => protocol === 'wss:' || protocol === 'https:';

const loopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127\./.test(host);

/** Whether an entry of NO_PROXY means the host: `*`, a name and all below it, an address, each perhaps with a port. */
const means = (entry: string, { hostname, port, protocol }: URL): boolean => {
  const [, name = '', only] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (only !== undefined && only !== (port || (isSecure(protocol) ? '443' : '80'))) return false;
  const bare = name.replace(/^\*?\./, '').toLowerCase();
  return name === '*' || (bare !== '' && (hostname === bare || hostname.endsWith(`.${bare}`)));
};

/**
 * The proxy that the environment names for an address (ws:, wss:, http: or https:): HTTP_PROXY or HTTPS_PROXY, unless NO_PROXY excepts the
 * host or it is this machine. Undefined for none, and for one that is no http: or https: address.
 */
export const proxyFor = (address: string, environment: Environment): string | undefined => {
  const url = new URL(address);
  const named = variable(environment, isSecure(url.protocol) ? 'HTTPS_PROXY' : 'HTTP_PROXY').trim();
  const excepted = variable(environment, 'NO_PROXY')
    .split(',')
    .map((entry) => entry.trim());
  if (named === '' || loopback(url.hostname) || excepted.some((entry) => means(entry, url))) return undefined;
  const proxy = URL.parse(named.includes('://') ? named : `http://${named}`);
  return proxy !== null && /^https?:$/.test(proxy.protocol) && proxy.hostname !== '' ? proxy.href : undefined;
};
