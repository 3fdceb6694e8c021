import type { Log } from '../../shared/log.ts';
import type { Listener } from './listener.ts';

/** An open port. */
interface Port {
  readonly port: number | undefined;
  stop(now: boolean): unknown;
}

export interface Ports<P> {
  /** In the order of the listeners. */
  readonly opened: P[];
  /** The address that they listen on. */
  readonly address: string;
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** Somebody else has the port, or may have it alone. */
const isTaken = (error: unknown): boolean => ['EADDRINUSE', 'EACCES'].includes(String(codeOf(error)));

/** Every port on one address, or what went wrong at which one, with none open. */
const openOn = <P extends Port>(
  all: readonly Listener[],
  address: string,
  listen: (serve: Listener['serve'] & { hostname: string }) => P,
): Ports<P> | { error: unknown; at: Listener } => {
  const opened: P[] = [];
  for (const listener of all) {
    try {
      opened.push(listen({ ...listener.serve, hostname: address }));
    } catch (error) {
      for (const port of opened) port.stop(true);
      return { error, at: listener };
    }
  }
  return { opened, address };
};

/**
 * Opens every port or none. `bind` is the address, or empty for all that the machine has: `::` takes IPv4, too, and on a
 * machine without IPv6 it is 0.0.0.0. A taken port is the operator's to solve: the log says which and how.
 */
export const openPorts = <P extends Port>(
  all: readonly Listener[],
  bind: string,
  log: Log,
  listen: (serve: Listener['serve'] & { hostname: string }) => P,
): Ports<P> | undefined => {
  const first = openOn(all, bind === '' ? '::' : bind, listen);
  const result =
    'error' in first && bind === '' && !isTaken(first.error) ? openOn(all, '0.0.0.0', listen) : first;
  if (!('error' in result)) return result;
  const { error, at } = result;
  const { option, serve } = at;
  const reason = error instanceof Error ? error.message : String(error);
  const where = `port ${serve.port}${bind === '' ? '' : ` of ${bind}`}`;
  const advice = isTaken(error) ? `choose another --${option}` : 'see the reason';
  log.error({ bind, port: serve.port, reason }, `cannot listen on ${where}; ${advice}`);
  return undefined;
};
