/** The usual variables, in either spelling; an empty one counts as none. */
const variable = (environment: Record<string, string | undefined>, name: string): string | undefined =>
  [environment[name], environment[name.toLowerCase()]].find((value) => value !== undefined && value !== '');

/** "example.com" and ".example.com" spare the name and all below it, "*" everything; ports do not count. */
const isSpared = (host: string, list: string): boolean =>
  list
    .split(',')
    .map((entry) =>
      entry
        .trim()
        .toLowerCase()
        .replace(/^\*?\./, '')
        .replace(/:\d+$/, ''),
    )
    .some((entry) => entry !== '' && (entry === '*' || host === entry || host.endsWith(`.${entry}`)));

/** The HTTP proxy by which to reach an address, as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say; undefined for the direct way. */
export const proxyFor = (
  { protocol, hostname }: URL,
  environment: Record<string, string | undefined>,
): URL | undefined => {
  const name = protocol === 'https:' || protocol === 'wss:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const text = variable(environment, name);
  if (text === undefined || isSpared(hostname, variable(environment, 'NO_PROXY') ?? '')) return undefined;
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  return url === null || !['http:', 'https:'].includes(url.protocol) ? undefined : url;
};
