/** Where an ICE server is, and how it is spoken to. */
export interface IceAddress {
  kind: 'stun' | 'turn';
  host: string;
  port: number;
  transport: 'udp' | 'tcp' | 'tls';
}

/** "turns:turn.example:443?transport=tcp" (RFC 7064, 7065); undefined for what is none, or not over UDP, TCP or TLS. */
export const iceAddress = (text: string): IceAddress | undefined => {
  const [, scheme, six, name, port, transport] =
    /^(stuns?|turns?):(?:\[([0-9a-fA-F:.]+)\]|([^[\]:?\s]+))(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/.exec(
      text,
    ) ?? [];
  const host = six ?? name;
  if (scheme === undefined || host === undefined) return undefined;
  const secure = scheme.endsWith('s');
  // DTLS, which browsers do not speak to TURN servers.
  if (secure && transport === 'udp') return undefined;
  return {
    kind: scheme.startsWith('stun') ? 'stun' : 'turn',
    host,
    port: port === undefined ? (secure ? 5_349 : 3_478) : Number(port),
    transport: secure ? 'tls' : transport === 'tcp' ? 'tcp' : 'udp',
  };
};
